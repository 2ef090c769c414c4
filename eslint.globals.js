// What Node.js defines in a CommonJS script.
const names = [
    "require",
    "module",
    "exports",
    "__dirname",
    "__filename",
    "process",
    "console",
    "Buffer",
    "setTimeout",
    "clearTimeout",
    "setInterval",
    "clearInterval",
    "URL",
    "AbortController",
    "fetch",
];
module.exports = Object.fromEntries(names.map((name) => [name, "readonly"]));
