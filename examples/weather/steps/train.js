// Ridge regression by its normal equations: (XᵀX + λI) w = Xᵀy, with X and y standardised and centred.
const { fail, numberParam, dateParam, readCsv, writeJson, metrics, fixed, rounded, mean } = require("./lib");

const horizon = numberParam("horizon", { min: 1, max: 14, integer: true });
const ridge = numberParam("ridge", { min: 0, max: 100000 });
const trainUntil = dateParam("train_until");

const all = readCsv("features");
// By the day that is forecast: no high of the hold-out is seen in training.
const rows = all.filter((row) => row.target_date <= trainUntil);
if (rows.length < 365 || all.length - rows.length < 30) {
    fail(
        `train_until ${trainUntil} leaves ${rows.length} days to train on and ${all.length - rows.length} to test on: ` +
            `at least 365 and 30 are needed (the data goes from ${all[0].target_date} to ${all.at(-1).target_date})`,
    );
}

function standardise(name) {
    const values = rows.map((row) => row[name]);
    const centre = mean(values);
    const spread = Math.sqrt(mean(values.map((value) => (value - centre) * (value - centre)))) || 1;
    return { name, centre, spread, values: values.map((value) => (value - centre) / spread) };
}

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

/** Gaussian elimination; the matrix is symmetric and positive, so no rows need to be swapped. */
function solve(matrix, right) {
    const a = matrix.map((row, i) => [...row, right[i]]);
    for (let i = 0; i < a.length; i++) {
        if (a[i][i] < 1e-9) {
            fail("the features depend on each other: set ridge above 0");
        }
        for (let j = i + 1; j < a.length; j++) {
            const factor = a[j][i] / a[i][i];
            a[j] = a[j].map((value, k) => value - factor * a[i][k]);
        }
    }
    const solution = right.map(() => 0);
    for (let i = a.length - 1; i >= 0; i--) {
        solution[i] = (a[i][a.length] - dot(solution, a[i])) / a[i][i];
    }
    return solution;
}

const columns = Object.keys(rows[0]).slice(3).map(standardise);
const intercept = mean(rows.map((row) => row.target));
const y = rows.map((row) => row.target - intercept);
const gram = columns.map((a, i) => columns.map((b, j) => dot(a.values, b.values) + (i === j ? ridge : 0)));
const weights = solve(
    gram,
    columns.map((column) => dot(column.values, y)),
);

const errors = y.map(
    (value, row) =>
        value -
        dot(
            weights,
            columns.map((column) => column.values[row]),
        ),
);
writeJson("model.json", {
    kind: "ridge regression",
    horizon,
    ridge,
    trainUntil,
    trainRows: rows.length,
    intercept: rounded(intercept, 6),
    features: columns.map(({ name, centre, spread }, i) => ({
        name,
        centre: rounded(centre, 6),
        spread: rounded(spread, 6),
        weight: rounded(weights[i], 6),
    })),
});
metrics({ train_rows: rows.length, train_rmse: fixed(Math.sqrt(mean(errors.map((e) => e * e))), 3) });
