"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { alternating, child, folder, run } = require("../lib/exec.js");

const FILES = 10_000;
const FILE_BYTES = 20_000;
/** A hash of a file that was written within the last two seconds is not kept. */
const SETTLE_MS = 2500;

exports.measure = {
    name: "bundle",
    title: `scan and archive of ${FILES.toLocaleString("en")} files, 200 MB, beside tar -czf; unchanged tree; memory`,
    rounds: 3,
    figures: [
        {
            name: "write",
            title: "bundle, cold, against tar -czf",
            unit: "x",
            max: 1.3,
            of: ["tar", "bundle"],
        },
        { name: "unchanged", title: "bundle, unchanged tree", unit: "x", max: 0.3, of: ["tar", "unchanged"] },
        // As many files with a tenth of the bytes are what "flat" is measured by.
        {
            name: "memory",
            title: "bundle, peak memory: 200 MB against 20 MB",
            unit: "x",
            max: 1.3,
            of: ["peak of 20 MB", "peak of 200 MB"],
        },
    ],
    async prepare() {
        const { dir, dispose } = folder();
        const whole = path.join(dir, "whole");
        const tenth = path.join(dir, "tenth");
        makeTree(whole, FILE_BYTES);
        makeTree(tenth, FILE_BYTES / 10);
        const cache = path.join(dir, "cache.json");
        const target = path.join(dir, "bundle.tar.gz");
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
        await child("bundle.js", ["scan", whole, cache]);
        return {
            async round(number) {
                const taken = await alternating(number, {
                    tar: () => run("tar", ["-czf", path.join(dir, "tar.tar.gz"), "-C", whole, "."]),
                    bundle: () => child("bundle.js", ["write", whole, target]),
                    unchanged: () => child("bundle.js", ["scan", whole, cache]),
                    tenth: () => child("bundle.js", ["write", tenth, target]),
                });
                const { tar, bundle, unchanged } = taken;
                return {
                    figures: {
                        write: bundle.seconds / tar.seconds,
                        unchanged: unchanged.seconds / tar.seconds,
                        memory: bundle.peak / taken.tenth.peak,
                    },
                    raw: {
                        tar: [tar.seconds, "s"],
                        bundle: [bundle.seconds, "s"],
                        unchanged: [unchanged.seconds, "s"],
                        "peak of 200 MB": [bundle.peak, "MiB"],
                        "peak of 20 MB": [taken.tenth.peak, "MiB"],
                    },
                };
            },
            dispose,
        };
    },
};

/** Text that compresses about as well as source code does, another one in each file. */
function makeTree(root, bytes) {
    let state = 1;
    const words = Array.from({ length: 4096 }, () => Math.floor(random() * 1e9).toString(36));
    function random() {
        state = (state * 48271) % 2147483647;
        return state / 2147483647;
    }
    for (let index = 0; index < FILES; index++) {
        const folder = path.join(root, `d${Math.floor(index / 100)}`);
        if (index % 100 === 0) {
            fs.mkdirSync(folder, { recursive: true });
        }
        let text = "";
        while (text.length < bytes) {
            text += `${words[Math.floor(random() ** 2 * words.length)]} `;
        }
        fs.writeFileSync(path.join(folder, `f${index}.txt`), text.slice(0, bytes));
    }
}
