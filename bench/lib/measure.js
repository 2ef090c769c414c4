"use strict";
const { judge, median } = require("./stats.js");
const { format } = require("./table.js");

/** What `prepare` throws where the measure can't be taken: it is left out, with a line that says so, unless it was asked for. */
class Unable extends Error {}

/**
 * Runs a measure's rounds and judges its figures. A measure is
 * `{ name, title, rounds, figures, prepare() }`; what `prepare` returns has
 * `round()`, which takes everything once, side by side, and returns `{ figures: { name: value }, raw: { name: [value, unit] } }`,
 * and `dispose()`.
 */
async function measure(one, { rounds = one.rounds, say }) {
    say(`${one.name}: preparing`);
    const world = await one.prepare();
    const taken = [];
    try {
        for (let round = 1; round <= rounds; round++) {
            taken.push(await world.round(round));
            const shown = Object.entries(taken.at(-1).raw).map(
                ([name, [value, unit]]) => `${name} ${format(value, unit)}`,
            );
            say(`${one.name}: round ${round}/${rounds}: ${shown.join(", ")}`);
        }
    } finally {
        await world.dispose();
    }
    return one.figures.map((figure) => ({
        measure: one.name,
        ...judge(
            figure,
            taken.map(({ figures }) => figures[figure.name]),
        ),
        detail: detailOf(figure, taken),
        raw: Object.fromEntries(
            (figure.of ?? []).map((name) => [name, taken.map(({ raw }) => raw[name][0])]),
        ),
    }));
}

/** As {@link measure}; where that can't be, no figures and a line that says why, unless the measure was asked for by name. */
async function measureOrSkip(one, { asked, ...how }) {
    try {
        return await measure(one, how);
    } catch (error) {
        if (asked || !(error instanceof Unable)) {
            throw error;
        }
        how.say(`${one.name}: NOT MEASURED: ${error.message}`);
        return [];
    }
}

function detailOf({ of = [] }, taken) {
    return of
        .map(
            (name) =>
                `${name} ${format(median(taken.map(({ raw }) => raw[name][0])), taken[0].raw[name][1])}`,
        )
        .join(", ");
}

module.exports = { Unable, measure, measureOrSkip };
