// archiver and its streams are ES modules: they are transformed too, because Jest loads CommonJS.
const esm = [
    "archiver",
    "zip-stream",
    "compress-commons",
    "crc32-stream",
    "readdir-glob",
    "is-stream",
    "minimatch",
    "brace-expansion",
    "balanced-match",
];
const transform = { "^.+\\.(t|j)s$": "@swc/jest" };
const transformIgnorePatterns = [`/node_modules/(?!(${esm.join("|")})/)`, "/dist/"];

const ring = (name, extra = {}) => ({
    displayName: name,
    rootDir: __dirname,
    testEnvironment: "node",
    testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
    transform,
    transformIgnorePatterns,
    moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": "$1" },
    modulePathIgnorePatterns: ["<rootDir>/dist/", "<rootDir>/.stackrun/"],
    ...extra,
});

// A ring with a machine of its own (`npm run test:<name>`): not part of `npm test`.
const lane = (name) =>
    ring(name, {
        globalSetup: `<rootDir>/test/support/${name}/globalSetup.ts`,
        globalTeardown: `<rootDir>/test/support/${name}/globalTeardown.ts`,
    });

/** @type {import("jest").Config} */
module.exports = {
    projects: [
        ring("unit"),
        ring("component"),
        ring("engine"),
        ring("stores", { globalSetup: "<rootDir>/test/support/gcs/globalSetup.ts" }),
        lane("docker"),
        lane("kubernetes"),
    ],
    testTimeout: 120_000,
    maxWorkers: 2,
};
