// Forecasts the days after the training period, which the model has never seen, and compares it with two
// forecasts that need no model: "as today" (persistence) and "as usual at this time of the year" (climatology).
const lib = require("./lib");
const { DAY, fail, numberParam, readCsv, writeCsv, writeJson, metrics, fixed, rounded, mean } = lib;

const minimumSkill = numberParam("minimum_skill", { min: -1, max: 1 });
const model = JSON.parse(lib.readInput("model"));
const rows = readCsv("features");
const training = rows.filter((row) => row.target_date <= model.trainUntil);
const holdOut = rows.filter((row) => row.target_date > model.trainUntil);

const forecast = (row) =>
    model.features.reduce(
        (sum, { name, centre, spread, weight }) => sum + ((row[name] - centre) / spread) * weight,
        model.intercept,
    );

/** The mean high of the training days within a week of this time of the year. */
function climatology(row) {
    const near = training.filter((other) => {
        const apart = Math.abs(Date.parse(row.target_date) - Date.parse(other.target_date)) / DAY;
        const inYear = apart % 365.25;
        return Math.min(inYear, 365.25 - inYear) <= 7;
    });
    return mean(near.map((other) => other.target));
}

/** How far a column of forecasts is from what was measured. */
function scores(days, column) {
    const errors = days.map((day) => day[column] - day.actual);
    const squares = mean(errors.map((error) => error * error));
    const middle = mean(days.map((day) => day.actual));
    const variance = mean(days.map((day) => (day.actual - middle) * (day.actual - middle)));
    return {
        mae: rounded(mean(errors.map(Math.abs)), 3),
        rmse: rounded(Math.sqrt(squares), 3),
        r2: rounded(1 - squares / variance, 3),
    };
}

const days = holdOut.map((row) => ({
    date: row.target_date,
    actual: row.target,
    forecast: rounded(forecast(row), 2),
    persistence: row.high,
    climatology: rounded(climatology(row), 2),
}));
writeCsv(
    "forecast.csv",
    days.map(({ date, ...highs }) => ({
        date,
        ...Object.fromEntries(Object.entries(highs).map(([name, high]) => [name, fixed(high, 2)])),
    })),
);

const [ours, persistence, usual] = ["forecast", "persistence", "climatology"].map((name) =>
    scores(days, name),
);
const skill = rounded(1 - ours.mae / persistence.mae, 3);
writeJson("evaluation.json", {
    horizon: model.horizon,
    trainUntil: model.trainUntil,
    testDays: days.length,
    forecast: ours,
    persistence,
    climatology: usual,
    skill,
});
metrics({
    test_days: days.length,
    mae: fixed(ours.mae, 3),
    rmse: fixed(ours.rmse, 3),
    r2: fixed(ours.r2, 3),
    persistence_mae: fixed(persistence.mae, 3),
    climatology_mae: fixed(usual.mae, 3),
    skill: fixed(skill, 3),
});
if (skill < minimumSkill) {
    fail(
        `the model's skill against persistence is ${fixed(skill, 3)}, below minimum_skill ${minimumSkill}: ` +
            `it is off by ${ours.mae} °C on average, persistence by ${persistence.mae} °C`,
    );
}
