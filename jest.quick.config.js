// For every change (`npm run check`): what takes long, or needs much of the machine, is left to `npm test`.
const { projects } = require("./jest.config.js");

const slow = [
    "unit/(runner|bundle|engine|examples)/",
    "unit/docs/(snippets|reference|messages|errors)",
    "unit/cli/(startup|runs|init|completion|completionShells|doctor)",
    "unit/pipeline/mutations",
    "unit/kubernetes/(connection|clusterScripts|bundleChunks)",
    "unit/run/(recorder|tail)",
    "unit/standIns/gcpTypes",
    "component/(docker|kubernetes|gcp)Orchestrator",
];
const testPathIgnorePatterns = ["/node_modules/", ...slow.map((pattern) => `<rootDir>/test/${pattern}`)];

/** @type {import("jest").Config} */
module.exports = {
    projects: projects
        .filter(({ displayName }) => displayName === "unit" || displayName === "component")
        .map((project) => ({ ...project, testPathIgnorePatterns })),
    maxWorkers: 2,
};
