import { isMap, isScalar, isSeq, parseAllDocuments, type Document } from "yaml";
import { CommandError, EXIT } from "../exit";
import { PLUGIN, PLUGIN_BLOCK } from "./templates";

/** What an existing Pulumi.yaml says, and its text with the plugin's entry. */
export interface ExtendedProject {
    /** Undefined: the entry was there already. */
    readonly text?: string;
    /** Of the entry that was there already. */
    readonly pluginPath?: string;
    /** The file, or folder, of the program. */
    readonly main?: string;
    readonly typescript: boolean;
}

/**
 * Adds the plugin's entry to a Pulumi.yaml; everything else stays as it is, comments too.
 * @throws CommandError if it is no project that a component of stackrun can be part of.
 */
export function extendProject(text: string, file: string): ExtendedProject {
    const document = read(text, file);
    checkRuntime(document, file);
    const main = document.get("main");
    const project = {
        main: typeof main === "string" ? main : undefined,
        typescript: document.getIn(["runtime", "options", "typescript"]) !== false,
    };
    const plugins = document.get("plugins", true);
    const providers = document.getIn(["plugins", "providers"], true);
    const old = isSeq(providers)
        ? providers.items.find((item) => isMap(item) && item.get("name") === PLUGIN.name)
        : undefined;
    if (isMap(old)) {
        return { ...project, pluginPath: String(old.get("path")) };
    }
    if ((!isNothing(plugins) && !isMap(plugins)) || (!isNothing(providers) && !isSeq(providers))) {
        throw unusable(file, "its `plugins` is not a mapping with a list `providers`");
    }
    return { ...project, text: withEntry(text, document) };
}

function read(text: string, file: string): Document {
    const [document, ...more] = parseAllDocuments(text);
    if (!document || "empty" in (document as object)) {
        throw unusable(file, "it is empty");
    }
    const [error] = (document as Document).errors;
    if (error) {
        throw unusable(file, error.message.split("\n")[0] ?? "it is no YAML");
    }
    if (more.length > 0 || !isMap((document as Document).contents)) {
        throw unusable(file, "it is not one mapping");
    }
    return document as Document;
}

function checkRuntime(document: Document, file: string): void {
    const runtime = document.get("runtime");
    const name = isMap(runtime) ? runtime.get("name") : runtime;
    if (name === "nodejs") {
        return;
    }
    if (typeof name !== "string") {
        throw unusable(file, "it names no runtime");
    }
    throw new CommandError(
        `${file}: the runtime of this project is ${name}, and stackrun's components are for nodejs\n` +
            "What works: `stackrun run pipeline.yaml`, which has a stack of its own and needs no program;\n" +
            "or a project beside this one: `stackrun init pipelines`",
        EXIT.badInput,
    );
}

// Put into the text as it is where that can be done: nothing else of the file is formatted anew.
function withEntry(text: string, document: Document): string {
    const eol = text.includes("\r\n") ? "\r\n" : "\n";
    const before = document.toJS() as ProjectJson;
    const providers = [...(before.plugins?.providers ?? []), PLUGIN];
    const after = JSON.stringify({ ...before, plugins: { ...before.plugins, providers } });
    const candidate = [appended(text, eol), inserted(text, document, eol)].find((one) => says(one, after));
    return candidate ?? formatted(text, document).replaceAll("\n", eol);
}

interface ProjectJson {
    readonly plugins?: { readonly providers?: readonly unknown[] } | null;
}

function says(text: string, json: string): boolean {
    const [document, ...more] = parseAllDocuments(text) as Document[];
    return more.length === 0 && document?.errors.length === 0 && JSON.stringify(document.toJS()) === json;
}

function appended(text: string, eol: string): string {
    return `${text}${text.endsWith("\n") ? "" : eol}${PLUGIN_BLOCK.replaceAll("\n", eol)}`;
}

// After the last one of the list, and written like the first one.
function inserted(text: string, document: Document, eol: string): string {
    const providers = document.getIn(["plugins", "providers"], true);
    const items = isSeq(providers) && !providers.flow ? providers.items : [];
    const [first, last] = [items[0], items.at(-1)].map((item) => (isMap(item) ? item.range : undefined));
    if (!first || !last) {
        return "";
    }
    const dash = text.slice(text.lastIndexOf("\n", first[0]) + 1, first[0]);
    const entry = `${dash}name: ${PLUGIN.name}${eol}${" ".repeat(dash.length)}path: ${PLUGIN.path}${eol}`;
    const end = text.indexOf("\n", last[1] - 1);
    return end < 0 ? `${text}${eol}${entry}` : `${text.slice(0, end + 1)}${entry}${text.slice(end + 1)}`;
}

function formatted(text: string, document: Document): string {
    if (isNothing(document.get("plugins", true))) {
        document.set("plugins", document.createNode({}));
    }
    if (isNothing(document.getIn(["plugins", "providers"], true))) {
        document.setIn(["plugins", "providers"], document.createNode([]));
    }
    document.addIn(["plugins", "providers"], document.createNode(PLUGIN));
    return document.toString({
        lineWidth: 0,
        indent: indentOf(text),
        flowCollectionPadding: /\{ /.test(text),
    });
}

function indentOf(text: string): number {
    return /^[\w-]+:[^\n]*\n(?:\s*#[^\n]*\n)*( +)[^\s#-]/m.exec(text)?.[1].length ?? 2;
}

function isNothing(node: unknown): boolean {
    return node === undefined || node === null || (isScalar(node) && node.value === null);
}

function unusable(file: string, why: string): CommandError {
    return new CommandError(
        `${file} can't be extended: ${why}\nPut this into it by hand:\n${PLUGIN_BLOCK.trimEnd()}`,
        EXIT.badInput,
    );
}
