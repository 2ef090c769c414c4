"use strict";
// Finds the messages with which the sources refuse something: what docs/troubleshooting.md has to know.
const fs = require("node:fs");
const path = require("node:path");
const ts = require("typescript");

const PLACES = ["src", "components", "stacks", "bin", "scripts/bootstrap.js"];
/** Calls that take a message, and which of their arguments it is. */
const CALLS = {
    "report.mistake": 1,
    "this.report.mistake": 1,
    fileError: 1,
    at: 1,
    refuse: 2,
    "this.refuse": 1,
    "this.complain": 2,
    "console.error": 0,
};
/** Functions that return messages. */
const MAKERS =
    /(Mistakes?|Faults?|Fault)$|^(unknown|unsupported)[A-Z]|^unreadable$|^refuse[A-Z]|^checkValue$|^judge$/;
const PLACEHOLDER = "…";

/** Each message once, with where it is raised: `{ text, file, line }`; what is filled in stands as `…`. */
function errorMessages(root) {
    const found = PLACES.flatMap((place) => sourceFiles(path.join(root, place))).flatMap((file) =>
        (file.endsWith(".sh") ? messagesOfShell : messagesOf)(file, path.relative(root, file)),
    );
    const known = new Set();
    return found.filter(({ text }) => isMessage(text) && !known.has(text) && known.add(text));
}

function sourceFiles(place) {
    if (!fs.statSync(place).isDirectory()) {
        return /\.(ts|js|sh)$/.test(place) ? [place] : [];
    }
    const names = fs.readdirSync(place).filter((name) => name !== "modules" && name !== "node_modules");
    return names.flatMap((name) => sourceFiles(path.join(place, name)));
}

/** How the runner says something: what stands before its text, and a pattern whose last group is the text. */
const SAID_BY_SHELL = [
    ["", /\bsr_(?:die \d+|warn|record_failed|stop \w+ \S+|result Failed \w+) (["'])(.*?[^\\])\1/],
    ["", /\bsr_(?:failed_text|said)="(.*)"$/],
    ["stackrun: ", /\bsr_(?:tell|refuse \d+) (["'])(.*?[^\\])\1/],
    ["", /\bprint "(stackrun: .*" substr\()/],
];

/** What the runner says when it can't go on, at the end of a run, and in a step's log. */
function messagesOfShell(file, name) {
    const lines = fs.readFileSync(file, "utf8").split("\n");
    return lines.flatMap((line, at) =>
        SAID_BY_SHELL.flatMap(([before, pattern]) => {
            const text = pattern.exec(line)?.at(-1);
            return text ? [{ text: squeeze(before + filledIn(text)), file: name, line: at + 1 }] : [];
        }),
    );
}

/** A text of sh, or of awk in it, with what is filled in as placeholders. Escaped, `"` and `$` stand for themselves. */
function filledIn(text) {
    return text
        .replace(/" \w+ "|" substr\($/g, PLACEHOLDER)
        .replace(/\\+(["$])|\$\{[^}]*\}|\$[a-z\d]\w*/g, (_, escaped) => escaped ?? PLACEHOLDER);
}

function messagesOf(file, name) {
    const source = ts.createSourceFile(name, fs.readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true);
    const found = [];
    const add = (node) =>
        found.push(
            ...textsIn(node, declaredIn(source)).map(({ text, at }) => ({
                text,
                file: name,
                line: source.getLineAndCharacterOfPosition(at).line + 1,
            })),
        );
    const visit = (node) => {
        if (ts.isNewExpression(node) && /(Error|Failed)$/.test(node.expression.getText())) {
            (node.arguments ?? []).slice(0, 1).forEach(add);
        } else if (ts.isCallExpression(node)) {
            messageArguments(node).forEach(add);
        } else if (isFunction(node) && MAKERS.test(nameOf(node)) && node.body) {
            returned(node.body).forEach(add);
        } else if (ts.isPropertyAssignment(node) && node.name.getText() === "fault") {
            add(node.initializer);
        } else if (isEnding(node)) {
            add(node.initializer);
        } else if (isExplained(node)) {
            explanations(node).forEach(add);
        }
        ts.forEachChild(node, visit);
    };
    visit(source);
    return found;
}

/** The message of a run's end: beside its state. */
function isEnding(node) {
    const names = ts.isPropertyAssignment(node)
        ? node.parent.properties.map((one) => one.name?.getText())
        : [];
    return names.includes("state") && node.name.getText() === "message";
}

/** What is declared as an `Explanation`: `[message, allowed]`. */
function isExplained(node) {
    return (
        (ts.isVariableDeclaration(node) || isFunction(node)) && /Explanation/.test(node.type?.getText() ?? "")
    );
}

function explanations(node) {
    const found = [];
    const visit = (child) => {
        if (
            ts.isArrayLiteralExpression(child) &&
            child.elements[0] &&
            textOf(child.elements[0]) !== undefined
        ) {
            found.push(child.elements[0]);
        }
        ts.forEachChild(child, visit);
    };
    ts.forEachChild(node, visit);
    return found;
}

/** `mistakes.push(…)`, `report.mistake(path, …)`: what they say. */
function messageArguments(call) {
    const callee = call.expression.getText();
    if (/(mistakes|faults|failures|tried)\.push$/i.test(callee)) {
        return [...call.arguments];
    }
    const at = Object.hasOwn(CALLS, callee) ? call.arguments[CALLS[callee]] : undefined;
    return at ? [at] : [];
}

function isFunction(node) {
    return ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node);
}

function nameOf(node) {
    return node.name ? node.name.getText() : "";
}

function returned(node) {
    const found = [];
    const visit = (child) => {
        if ((ts.isReturnStatement(child) || ts.isArrowFunction(child)) && (child.expression ?? child.body)) {
            const value = ts.isReturnStatement(child) ? child.expression : child.body;
            if (!ts.isBlock(value)) {
                found.push(value);
            }
        }
        ts.forEachChild(child, visit);
    };
    visit(node);
    return found;
}

/** What the constants of a file are set to, by their names. */
function declaredIn(source) {
    const values = new Map();
    const visit = (node) => {
        if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer) {
            const name = node.name.text;
            values.set(name, [...(values.get(name) ?? []), node.initializer]);
        }
        ts.forEachChild(node, visit);
    };
    visit(source);
    return values;
}

/** The texts that an expression can be or contain; parts that are joined with `+` are one text. */
function textsIn(node, constants) {
    const found = [];
    const seen = new Set();
    const visit = (child) => {
        if (ts.isIdentifier(child) && constants.has(child.text) && !seen.has(child.text)) {
            seen.add(child.text);
            constants.get(child.text).forEach(visit);
            return;
        }
        const text = textOf(child);
        if (text !== undefined) {
            found.push({ text: squeeze(text), at: child.getStart() });
            return;
        }
        // What is compared, looked up or called with is no message; `map` and its like make some.
        if (ts.isCallExpression(child) && !makesTexts(child)) {
            return;
        }
        if (ts.isConditionalExpression(child)) {
            visit(child.whenTrue);
            visit(child.whenFalse);
            return;
        }
        ts.forEachChild(child, visit);
    };
    visit(node);
    return found;
}

function makesTexts(call) {
    return (
        ts.isPropertyAccessExpression(call.expression) &&
        /^(map|flatMap|join)$/.test(call.expression.name.text)
    );
}

function textOf(node) {
    if (ts.isStringLiteralLike(node)) {
        return node.text;
    }
    if (ts.isTemplateExpression(node)) {
        return node.head.text + node.templateSpans.map((span) => PLACEHOLDER + span.literal.text).join("");
    }
    if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
        const [left, right] = [textOf(node.left), textOf(node.right)];
        return left === undefined && right === undefined
            ? undefined
            : (left ?? PLACEHOLDER) + (right ?? PLACEHOLDER);
    }
    return undefined;
}

function squeeze(text) {
    return text.replace(/\s+/g, " ").trim();
}

/** A sentence or at least some words of one, and not a separator or a name. */
function isMessage(text) {
    return (
        text
            .replaceAll(PLACEHOLDER, "")
            .split(" ")
            .filter((word) => /[a-z]{2,}/i.test(word)).length >= 2
    );
}

/**
 * Whether what the documentation quotes, with `…` for what is filled in, is this message: its fixed parts are there in
 * their order, and they are most of it, or enough to know it by.
 */
function matches(phrase, message) {
    const parts = phrase.split(PLACEHOLDER).map(squeeze);
    let at = 0;
    const found = parts.every((part) => {
        const start = message.indexOf(part, at);
        at = start + part.length;
        return start >= 0;
    });
    const length = (text) => text.replaceAll(PLACEHOLDER, "").length;
    return found && length(phrase) >= Math.min(25, 0.6 * length(message));
}

module.exports = { errorMessages, matches };
