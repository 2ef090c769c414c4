// What the steps written in JavaScript share: where things are read and written, and how numbers are printed.
const fs = require("node:fs");
const path = require("node:path");

const DAY = 24 * 60 * 60 * 1000;

/** Ends the step: the last line of its log says why. */
function fail(message) {
    console.error(`${process.env.STACKRUN_STEP || path.basename(process.argv[1], ".js")}: ${message}`);
    process.exit(1);
}

/** A numeric parameter of the run. */
function numberParam(name, { min, max, integer = false }) {
    const text = process.env[`STACKRUN_PARAM_${name.toUpperCase()}`] ?? "";
    const value = Number(text);
    if (text.trim() === "" || !(value >= min && value <= max) || (integer && !Number.isInteger(value))) {
        fail(
            `${name} has to be ${integer ? "a whole number" : "a number"} from ${min} to ${max}, not "${text}"`,
        );
    }
    return value;
}

/** A parameter that is a day. */
function dateParam(name) {
    const text = process.env[`STACKRUN_PARAM_${name.toUpperCase()}`] ?? "";
    if (!isDate(text)) {
        fail(`${name} has to be a date such as 2014-12-31, not "${text}"`);
    }
    return text;
}

function isDate(text) {
    const time = Date.parse(`${text}T00:00:00Z`);
    return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(time) && isoDate(time) === text;
}

const isoDate = (time) => new Date(time).toISOString().slice(0, 10);

const readInput = (name) => fs.readFileSync(path.join(process.env.STACKRUN_INPUTS, name), "utf8");

const writeOutput = (name, text) => fs.writeFileSync(path.join(process.env.STACKRUN_OUTPUTS, name), text);

/** Rows as objects; what looks like a number is one. */
function readCsv(name) {
    const [header, ...lines] = readInput(name).trimEnd().split("\n");
    const columns = header.split(",");
    const value = (text) => (text === "" || Number.isNaN(Number(text)) ? text : Number(text));
    return lines.map((line) => {
        const cells = line.split(",");
        return Object.fromEntries(columns.map((column, i) => [column, value(cells[i])]));
    });
}

/** The keys of the first row are the header. */
function writeCsv(name, rows) {
    const lines = [Object.keys(rows[0]), ...rows.map((row) => Object.values(row))].map((cells) =>
        cells.join(","),
    );
    writeOutput(name, `${lines.join("\n")}\n`);
}

const writeJson = (name, value) => writeOutput(name, `${JSON.stringify(value, null, 2)}\n`);

/** Adds to the run's metrics, and shows them in the log. */
function metrics(values) {
    const text = Object.entries(values)
        .map(([name, value]) => `${name}=${value}\n`)
        .join("");
    fs.appendFileSync(process.env.STACKRUN_METRICS, text);
    process.stdout.write(text);
}

/** A fixed number of decimals, and no "-0.0": the same text on every machine. */
function fixed(value, decimals) {
    const text = value.toFixed(decimals);
    return Number(text) === 0 ? text.replace("-", "") : text;
}

const rounded = (value, decimals) => Number(fixed(value, decimals));

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

module.exports = {
    DAY,
    fail,
    numberParam,
    dateParam,
    isoDate,
    readInput,
    readCsv,
    writeCsv,
    writeOutput,
    writeJson,
    metrics,
    fixed,
    rounded,
    mean,
};
