"use strict";
// Makes docs/api.md of the doc comments of what the package exports.
const path = require("node:path");
const ts = require("typescript");
const { anchorOf, cell } = require("./markdown.js");

const HEAD = `<!-- Made by \`node scripts/docs/generate.js\` of the doc comments in the sources: don't edit it here. -->

# API reference

What \`import … from "stackrun"\` gives, and after it what \`stackrun/docker\`, \`stackrun/kubernetes\` and \`stackrun/gcp\` do. How it is used is told in [Embedding](embedding.md) and in
[Orchestrators of your own](custom-orchestrators.md); helpers for tests of your own are in [Testing](testing.md).
`;
const MAIN = "stackrun";
/** Module -> the file that it is. */
const MODULES = {
    [MAIN]: "src/index.ts",
    "stackrun/docker": "components/docker.ts",
    "stackrun/kubernetes": "components/kubernetes.ts",
    "stackrun/gcp": "components/gcp.ts",
};
const GROUPS = [
    ["Classes", ({ module, symbol }) => module === MAIN && symbol.flags & ts.SymbolFlags.Class],
    ["Functions", ({ module, symbol }) => module === MAIN && symbol.flags & ts.SymbolFlags.Function],
    ["Types", ({ module }) => module === MAIN],
    ...Object.keys(MODULES)
        .slice(1)
        .map((name) => [`\`${name}\``, ({ module }) => module === name]),
];

/** What the package exports, in the order of its modules: `{ module, name, symbol, documentation }`. */
function readApi(root) {
    const entries = Object.entries(MODULES).map(([module, file]) => ({
        module,
        file: path.join(root, file),
    }));
    const { config } = ts.readConfigFile(path.join(root, "tsconfig.json"), ts.sys.readFile);
    const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
    const files = entries.map(({ file }) => file);
    const program = ts.createProgram(files, {
        ...options,
        noEmit: true,
        incremental: false,
        tsBuildInfoFile: undefined,
    });
    const checker = program.getTypeChecker();
    const known = new Set();
    const exported = entries.flatMap(({ module, file }) => {
        const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)));
        return symbols.flatMap((symbol) => {
            const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
            // What two modules export is told once.
            const first = !known.has(target);
            known.add(target);
            const documentation = docOf(target, checker);
            return first ? [{ module, name: symbol.name, symbol: target, documentation }] : [];
        });
    });
    return { checker, exported };
}

/** The page, as it has to stand in docs/api.md. */
function apiReference({ checker, exported }) {
    const left = [...exported];
    const sections = GROUPS.map(([title, belongs]) => {
        const members = left.filter(belongs);
        members.forEach((member) => left.splice(left.indexOf(member), 1));
        return { title, members };
    }).filter(({ members }) => members.length > 0);
    const contents = sections.map(({ title, members }) => {
        const all = members.map(({ name }) => `[\`${name}\`](#${anchorOf(name)})`);
        return `- ${title}: ${all.join(", ")}`;
    });
    const body = sections.flatMap(({ title, members }) => [
        `## ${title}`,
        ...members.map((member) => section(member, checker, exported)),
    ]);
    return `${[HEAD + "\n" + contents.join("\n"), ...body].join("\n\n")}\n`;
}

function section({ name, symbol, documentation }, checker, exported) {
    const [declaration] = symbol.getDeclarations();
    const members = membersOf(symbol, declaration, checker);
    return [
        `### \`${name}\``,
        documentation,
        ...tagged(symbol, checker, "throws").map((text) => `Throws ${text}`),
        signature(symbol, declaration),
        table(members, checker),
        ...tagged(symbol, checker, "example").map((code) => example(code, exported)),
    ]
        .filter((part) => part !== "")
        .join("\n\n");
}

/** The declaration, without bodies, comments, and the members that the table lists. */
function signature(symbol, declaration) {
    const all = symbol.getDeclarations();
    if (ts.isInterfaceDeclaration(declaration)) {
        return heritage(declaration) === "" ? "" : `Extends \`${heritage(declaration)}\`.`;
    }
    if (ts.isClassDeclaration(declaration)) {
        const made = declaration.members.find(ts.isConstructorDeclaration);
        const makes = made ? `\nnew ${symbol.name}(${parameters(made)});` : "";
        const abstract = has(declaration, ts.SyntaxKind.AbstractKeyword) ? "abstract " : "";
        const base = heritage(declaration);
        return fence(`${abstract}class ${symbol.name}${base && ` extends ${base}`} { … }${makes}`);
    }
    if (ts.isFunctionDeclaration(declaration)) {
        const texts = all.map(
            (one) => `function ${symbol.name}(${parameters(one)}): ${one.type?.getText() ?? "void"};`,
        );
        return fence(texts.join("\n"));
    }
    return fence(plain(declaration).replace(/^export /, ""));
}

function fence(code) {
    return `<!-- signature -->\n\`\`\`ts\n${code}\n\`\`\``;
}

function heritage(declaration) {
    const clauses = (declaration.heritageClauses ?? []).filter(
        (one) => one.token === ts.SyntaxKind.ExtendsKeyword,
    );
    return clauses.flatMap((one) => one.types.map((type) => type.getText())).join(", ");
}

function parameters(declaration) {
    return declaration.parameters
        .map((one) => {
            const optional = one.questionToken || one.initializer ? "?" : "";
            return `${one.name.getText()}${optional}: ${one.type ? plain(one.type) : typeOfDefault(one.initializer)}`;
        })
        .join(", ");
}

function typeOfDefault(initializer) {
    return ts.isNumericLiteral(initializer)
        ? "number"
        : ts.isStringLiteral(initializer)
          ? "string"
          : "boolean";
}

/** A node's text without comments. */
function plain(node) {
    const text = ts
        .createPrinter({ removeComments: true })
        .printNode(ts.EmitHint.Unspecified, node, node.getSourceFile());
    return text.trim();
}

/** Public members that the declaration itself has: what comes from the SDK's classes is documented there. */
function membersOf(symbol, declaration, checker) {
    if (!ts.isClassDeclaration(declaration) && !ts.isInterfaceDeclaration(declaration)) {
        return [];
    }
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    return checker.getPropertiesOfType(type).filter((member) => {
        const [own] = member.getDeclarations() ?? [];
        const hidden =
            own && (has(own, ts.SyntaxKind.PrivateKeyword) || ts.isComputedPropertyName(own.name ?? own));
        const parameter = own && ts.isParameter(own) && own.parent.parent === declaration;
        return own && !hidden && (own.parent === declaration || parameter) && !member.name.startsWith("__");
    });
}

function has(declaration, kind) {
    return (ts.canHaveModifiers(declaration) ? (ts.getModifiers(declaration) ?? []) : []).some(
        (one) => one.kind === kind,
    );
}

function table(members, checker) {
    if (members.length === 0) {
        return "";
    }
    const rows = members.map((member) => {
        const [own] = member.getDeclarations();
        const optional = own.questionToken && !ts.isMethodSignature(own) ? " (optional)" : "";
        const type = isCallable(own)
            ? `(${parameters(own)}): ${own.type ? plain(own.type) : "void"}`
            : own.type
              ? plain(own.type)
              : "";
        const fallback = tagged(member, checker, "default").map(
            (text) => `Default: ${text.replace(/^-\s*/, "")}.`,
        );
        const kind = has(own, ts.SyntaxKind.ProtectedKeyword) ? "For subclasses." : "";
        const meaning = [kind, docOf(member, checker), ...fallback].filter(Boolean).join(" ");
        return `| \`${member.name}\`${optional} | \`${cell(type)}\` | ${cell(html(meaning))} |`;
    });
    return ["| member | type | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}

function isCallable(node) {
    return ts.isMethodDeclaration(node) || ts.isMethodSignature(node);
}

/** An example, with the imports that it needs to be checked. */
function example(code, exported) {
    const used = exported.filter(({ name }) => new RegExp(`\\b${name}\\b`).test(code));
    const imports = Object.keys(MODULES).flatMap((module) => {
        const names = used.filter((one) => one.module === module).map(({ name }) => name);
        return names.length > 0 ? [` import { ${names.join(", ")} } from "${module}";`] : [];
    });
    const config = /\bconfig\./.test(code) ? " const config = new pulumi.Config();" : "";
    return `<!-- before: import * as pulumi from "@pulumi/pulumi";${imports.join("")}${config} -->\n\`\`\`ts\n${code.trim()}\n\`\`\``;
}

function docOf(symbol, checker) {
    return links(ts.displayPartsToString(symbol.getDocumentationComment(checker))).trim();
}

function tagged(symbol, checker, name) {
    return symbol
        .getJsDocTags(checker)
        .filter((tag) => tag.name === name)
        .map((tag) => links(ts.displayPartsToString(tag.text)));
}

/** `{@link Name.member}` as plain code. */
function links(text) {
    return text.replace(/\{@link\s+([^}]*)\}/g, "`$1`");
}

/** What GitHub would take for HTML. */
function html(text) {
    return text.replace(/`[^`]*`|</g, (part) => (part === "<" ? "&lt;" : part));
}

module.exports = { apiReference, readApi };
