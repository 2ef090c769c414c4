"use strict";

const FLAGS = `
  --only NAME      only this measure; may be given several times
  --rounds N       rounds of each measure, instead of its own number
  --json FILE      where all values are kept; by default .stackrun/bench/<time>.json
  --check          end with exit code 1 if a goal is missed
  --help           this text`;

/** Reads the command line: `{ options, mistakes }`, all mistakes at once. */
function parseOptions(argv, measures) {
    const options = { only: [], rounds: undefined, json: undefined, check: false, help: false };
    const mistakes = [];
    const names = measures.map(({ name }) => name);
    const words = argv.flatMap((word) => (/^--\w+=/.test(word) ? splitOnce(word) : [word]));
    const valueOf = (flag) => {
        const value = words.shift();
        if (value === undefined || value.startsWith("--")) {
            mistakes.push(`${flag} needs a value`);
        }
        return value;
    };
    while (words.length > 0) {
        const word = words.shift();
        switch (word) {
            case "--help":
            case "-h":
                options.help = true;
                break;
            case "--check":
                options.check = true;
                break;
            case "--json":
                options.json = valueOf(word);
                break;
            case "--only": {
                const name = valueOf(word);
                if (name !== undefined && !names.includes(name)) {
                    mistakes.push(`--only ${name}: there is no such measure; allowed: ${names.join(", ")}`);
                }
                options.only.push(name);
                break;
            }
            case "--rounds": {
                const value = valueOf(word);
                options.rounds = Number(value);
                if (value !== undefined && !/^[1-9]\d*$/.test(value)) {
                    mistakes.push(`--rounds ${value}: allowed: a whole number from 1`);
                }
                break;
            }
            default:
                mistakes.push(`${word} is not known; see --help`);
        }
    }
    return { options, mistakes };
}

function splitOnce(word) {
    const at = word.indexOf("=");
    return [word.slice(0, at), word.slice(at + 1)];
}

function helpText(measures) {
    const list = measures.map(({ name, title }) => `  ${name.padEnd(15)}  ${title}`).join("\n");
    return `node bench/run.js [options]: measures what stackrun costs\n\nOptions:${FLAGS}\n\nMeasures:\n${list}`;
}

module.exports = { helpText, parseOptions };
