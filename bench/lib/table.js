"use strict";

/** The results as text, one line for each figure. */
function table(results) {
    const rows = results.map((one) => [
        one.title,
        format(one.median, one.unit),
        `${format(one.low, one.unit)} to ${format(one.high, one.unit)}`,
        one.max === undefined ? `≥ ${format(one.min, one.unit)}` : `≤ ${format(one.max, one.unit)}`,
        one.met ? "met" : "MISSED",
        one.detail ?? "",
    ]);
    const all = [["measure", "median", "middle half", "goal", "verdict", "medians of"], ...rows];
    const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
    return all
        .map((row) =>
            row
                .map((cell, column) => cell.padEnd(widths[column]))
                .join("  ")
                .trimEnd(),
        )
        .join("\n");
}

/** `1.23x`, `4.2 ms`, `123,000 lines/s` */
function format(value, unit) {
    if (unit === "x") {
        return `${value.toFixed(2)}x`;
    }
    const number =
        value >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
    return `${number} ${unit}`;
}

module.exports = { format, table };
