const js = require("@eslint/js");
const tseslint = require("typescript-eslint");
const jest = require("eslint-plugin-jest");
const pulumi = require("@pulumi/eslint-plugin");

module.exports = tseslint.config(
    {
        // The examples are programs of their own, with their own compiler settings.
        ignores: ["dist/", "node_modules/", ".stackrun/", "coverage/", "examples/embed-*/*.ts"],
    },
    js.configs.recommended,
    {
        files: ["**/*.ts"],
        extends: [tseslint.configs.recommended],
        languageOptions: { parserOptions: { project: "./tsconfig.test.json", tsconfigRootDir: __dirname } },
        plugins: { "@pulumi": pulumi },
        rules: {
            "@typescript-eslint/no-floating-promises": "error",
            "@typescript-eslint/no-misused-promises": "error",
            "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
            "@pulumi/no-output-in-template-literal": "error",
            curly: "error",
            eqeqeq: ["error", "smart"],
            "prefer-const": "error",
            radix: "error",
            "guard-for-in": "error",
        },
    },
    {
        files: ["**/*.js"],
        languageOptions: { sourceType: "commonjs", globals: require("./eslint.globals.js") },
    },
    {
        files: ["test/**/*.test.ts"],
        ...jest.configs["flat/recommended"],
        rules: {
            ...jest.configs["flat/recommended"].rules,
            "jest/no-disabled-tests": "error",
            "jest/expect-expect": ["error", { assertFunctionNames: ["expect", "expect*", "fc.assert"] }],
        },
    },
);
