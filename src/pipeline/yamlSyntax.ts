import { Document, ErrorCode, LineCounter, YAMLError, isScalar, parseDocument, visit } from "yaml";
import { Mistake } from "./errors";

/** One fault of syntax makes the parser stumble over what follows: only the first few are worth reading. */
const MAX_SYNTAX_MISTAKES = 3;

export interface Parsed {
    readonly document: Document.Parsed;
    readonly mistakes: Mistake[];
    /** Whether the document's content can be trusted in spite of the mistakes. */
    readonly usable: boolean;
}

/** YAML 1.2 without tags of its own, as one document. */
export function parseYaml(text: string, file: string, lines: LineCounter): Parsed {
    const clean = text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
    const strange = clean.search(UNPRINTABLE);
    const document = parseQuickly(strange < 0 ? clean : clean.slice(0, strange), lines);
    const at = (offset: number, message: string, allowed?: string): Mistake => {
        const { line, col } = lines.linePos(offset);
        const place = { file, line: Math.max(1, line), column: Math.max(1, col), path: "", message };
        return allowed === undefined ? place : { ...place, allowed };
    };
    if (strange >= 0) {
        const name =
            clean.charCodeAt(strange) === 0 ? "NUL character" : `control character ${codeOf(clean, strange)}`;
        return {
            document,
            usable: false,
            mistakes: [at(strange, `contains a ${name}`, "text, tabs and line breaks")],
        };
    }
    const tooDeep = document.errors.find((error) => error.code === "RESOURCE_EXHAUSTION");
    if (tooDeep !== undefined) {
        return {
            document,
            usable: false,
            mistakes: [at(tooDeep.pos[0], "is nested too deeply", "64 levels at most")],
        };
    }
    const errors = onePerLine(document.errors, lines).slice(0, MAX_SYNTAX_MISTAKES);
    const tags = document.warnings.filter((warning) => warning.code === "TAG_RESOLVE_FAILED");
    const mistakes = [
        ...errors.map((error) => at(placeOf(error, document), ...explain(error, clean))),
        ...tags
            .slice(0, 20)
            .map((tag) => at(tag.pos[0], `unknown tag ${tagName(tag)}`, "plain YAML, without tags")),
    ];
    if (mistakes.length === 0 && document.contents === null) {
        mistakes.push(at(0, "the file is empty", "a mapping with name and steps"));
    }
    return { document, mistakes, usable: errors.length === 0 && document.contents !== null };
}

// What YAML does not allow in a file, escaped or not in the source: control characters other than tab and line breaks.
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

function codeOf(text: string, index: number): string {
    return `U+${text.charCodeAt(index).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** The library makes an Error for each fault: without their stacks even a file full of them is read quickly. */
function parseQuickly(text: string, lineCounter: LineCounter): Document.Parsed {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
        // Duplicate keys are found by the walker: the library compares each key with every other.
        const options = {
            schema: "core",
            resolveKnownTags: false,
            stringKeys: true,
            uniqueKeys: false,
        } as const;
        return parseDocument(text, { ...options, lineCounter, prettyErrors: false, logLevel: "error" });
    } finally {
        Error.stackTraceLimit = limit;
    }
}

function onePerLine(errors: readonly YAMLError[], lines: LineCounter): YAMLError[] {
    const first = new Map<number, YAMLError>();
    for (const error of errors) {
        const { line } = lines.linePos(error.pos[0]);
        first.set(line, first.get(line) ?? error);
    }
    return [...first.values()];
}

/** An unclosed quote is reported where the file ends; where it was opened helps more. */
function placeOf(error: YAMLError, document: Document.Parsed): number {
    let place = error.pos[0];
    if (isUnclosedQuote(error)) {
        visit(document, {
            Scalar: (_, node) => {
                if (
                    isScalar(node) &&
                    /^QUOTE_/.test(node.type ?? "") &&
                    node.range &&
                    node.range[1] >= error.pos[0]
                ) {
                    place = Math.min(place, node.range[0]);
                    return visit.BREAK;
                }
                return undefined;
            },
        });
    }
    return place;
}

function isUnclosedQuote(error: YAMLError): boolean {
    return error.code === "MISSING_CHAR" && /quote/.test(error.message);
}

type Explanation = [message: string, allowed?: string];

const NESTED_KEY_ALLOWED = "keys that belong together indented alike, text with a colon in quotes";
const UNCLOSED_LIST: Explanation = ["the list opened with [ is not closed before this", "[a, b]"];
const UNCLOSED_MAPPING: Explanation = ["the mapping opened with { is not closed before this", "{a: 1, b: 2}"];

/** In the words of someone who writes a file, where the library speaks of its grammar. */
const EXPLANATIONS: readonly [code: ErrorCode, words: RegExp, explanation: Explanation][] = [
    ["TAB_AS_INDENT", /./, ["a tab used as indentation", "spaces"]],
    ["MULTIPLE_DOCS", /./, ["a second document begins here", "one pipeline in a file"]],
    ["NON_STRING_KEY", /./, ["a key has to be a plain text"]],
    ["MULTILINE_IMPLICIT_KEY", /./, ["no colon after this key", "key: value"]],
    ["MISSING_CHAR", /followed by map values/, ["no colon after this key", "key: value"]],
    [
        "UNEXPECTED_TOKEN",
        /block-seq-ind/,
        ["a list begins in its key's line", "its items on lines of their own"],
    ],
    ["BLOCK_AS_IMPLICIT_KEY", /sequence/, ["a list item among keys", "either keys or list items"]],
    ["BLOCK_AS_IMPLICIT_KEY", /./, ["a key inside another key's value", NESTED_KEY_ALLOWED]],
    ["BAD_INDENT", /same column/, ["indented unlike the lines that it belongs to", "the same column"]],
    ["BAD_INDENT", /end with a \]/, UNCLOSED_LIST],
    ["MISSING_CHAR", /end with a \]/, UNCLOSED_LIST],
    ["BAD_INDENT", /end with a }/, UNCLOSED_MAPPING],
    ["MISSING_CHAR", /end with a }/, UNCLOSED_MAPPING],
    ["MISSING_CHAR", /^Missing , /, ["a comma is missing before this"]],
    ["MISSING_CHAR", /without - indicator/, ["a list item without its dash", "- item"]],
    ["UNEXPECTED_TOKEN", /at node end/, ["nothing may follow here, where the value has ended"]],
    ["UNEXPECTED_TOKEN", /^Unexpected , /, ["a comma without a value before it"]],
];

function explain(error: YAMLError, text: string): Explanation {
    if (isUnclosedQuote(error)) {
        return ["the quote opened here is never closed"];
    }
    if (error.code === "BAD_SCALAR_START") {
        return [`a value can't start with ${text[error.pos[0]]}`, "such text in quotes"];
    }
    const known = EXPLANATIONS.find(([code, words]) => code === error.code && words.test(error.message));
    const message = error.message.split("\n")[0].slice(0, 200);
    return known?.[2] ?? [`not valid YAML: ${message[0].toLowerCase()}${message.slice(1)}`];
}

function tagName(warning: YAMLError): string {
    const name = warning.message.replace(/^Unresolved tag: /, "").replace(/^tag:yaml\.org,2002:/, "!!");
    return name.length > 60 ? `${name.slice(0, 59)}…` : name;
}
