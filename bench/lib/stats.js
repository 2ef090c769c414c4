"use strict";

/** The value at a part (0 to 1) of the sorted values; between two of them in proportion. */
function quantile(values, part) {
    const sorted = [...values].sort((a, b) => a - b);
    const at = (sorted.length - 1) * part;
    const low = sorted[Math.floor(at)];
    return low + (sorted[Math.ceil(at)] - low) * (at - Math.floor(at));
}

const median = (values) => quantile(values, 0.5);

/**
 * What the rounds of one figure say. `figure`: `{ name, title, unit, max }` or with `min`. The median decides, because
 * a busy machine spoils single rounds.
 */
function judge(figure, values) {
    const value = median(values);
    const met = figure.max === undefined ? value >= figure.min : value <= figure.max;
    return {
        ...figure,
        values,
        median: value,
        low: quantile(values, 0.25),
        high: quantile(values, 0.75),
        met,
    };
}

module.exports = { judge, median, quantile };
