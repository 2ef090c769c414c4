/** The rules for names and paths, each with the words that explain it. */

export const IDENTIFIER = {
    pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
    allowed: "letters, digits and _, not starting with a digit",
};

/** Step names become folder names on any file system. */
export const STEP_NAME = {
    pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$",
    allowed: "1 to 63 letters, digits, _, . and -, starting with a letter or digit",
};

export const PIPELINE_NAME = {
    pattern: "^(?=.*\\S)[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]{1,100}$",
    allowed: "1 to 100 characters on one line",
};

/** A container image reference: registry/path:tag@digest. */
export const IMAGE = {
    pattern:
        "^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?/)?" +
        "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*" +
        "(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9_+.-]*:[0-9a-fA-F]{32,})?$",
    allowed:
        "an image such as python:3.12-slim or registry.example.com/team/train@sha256:…, or {build: {context: .}}",
};

/** Kubernetes quantities without `m`: thousandths of a byte are never meant. */
export const MEMORY = {
    pattern: "^(?=.*[1-9])[0-9]+(?:\\.[0-9]+)?(?:[EPTGM]i?|Ki|k)?$",
    allowed: "a Kubernetes quantity such as 512Mi, 4Gi or 2G",
};

/** What `4GB`, `512m` or `4 gi` were probably meant to be. */
export function suggestMemory(text: string): string | undefined {
    const match = /^\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgtpe])(i?)b?\s*$/i.exec(text);
    if (match === null) {
        return undefined;
    }
    const [, number, unit, binary] = match;
    const letter = unit.toUpperCase();
    const meant = letter === "K" && binary === "" ? `${number}k` : `${number}${letter}${binary && "i"}`;
    const likely = /^\s*[0-9.]+\s*[kmg]$/.test(text) ? `${number}${letter}i` : meant;
    return new RegExp(MEMORY.pattern).test(likely) ? likely : undefined;
}

/** A name with everything that is not allowed in an identifier replaced. */
export function suggestIdentifier(name: string): string | undefined {
    const meant = name
        .trim()
        .replace(/[^A-Za-z0-9_]+/g, "_")
        .replace(/^(?=[0-9])/, "_");
    return /[A-Za-z0-9]/.test(meant) && meant.length <= 60 ? meant : undefined;
}

export const OUTPUT_ALLOWED = "a path below the step's output folder, such as raw.csv or model/weights.bin";

const LONGEST_PATH = 1000;

/** What is wrong with the name of an input, which becomes a file's name. */
export function inputNameFault(name: string): string | undefined {
    if (name === "." || name === ".." || name === "") {
        return `${JSON.stringify(name)} is not a file name`;
    }
    return /[/\\]|\p{Cc}/u.test(name) || Buffer.byteLength(name) > 200
        ? "is not a plain file name"
        : undefined;
}

/** An output's path in its one spelling (`./a//b/` is `a/b`), or what is wrong with it. */
export function outputPath(text: string): { path: string } | { fault: string; suggestion?: string } {
    if (text.trim() === "") {
        return { fault: "is empty" };
    }
    if (Buffer.byteLength(text) > LONGEST_PATH) {
        return { fault: `is longer than ${LONGEST_PATH} bytes` };
    }
    if (/\p{Cc}/u.test(text)) {
        return { fault: "contains a control character" };
    }
    if (/^(\/|~\/|[A-Za-z]:[/\\])/.test(text)) {
        const relative = text.replace(/^(~\/|[A-Za-z]:)?[/\\]*/, "");
        return {
            fault: `${JSON.stringify(text)} is not below the step's output folder`,
            ...suggest(relative),
        };
    }
    if (text.includes("\\")) {
        return { fault: "contains a backslash", ...suggest(text.replace(/\\+/g, "/")) };
    }
    const parts = text.split("/").filter((part) => part !== "" && part !== ".");
    if (parts.includes("..")) {
        return { fault: `${JSON.stringify(text)} leaves the step's output folder` };
    }
    if (parts.length === 0) {
        return { fault: `${JSON.stringify(text)} is the output folder itself: name files or folders in it` };
    }
    return { path: parts.join("/") };
}

function suggest(path: string): { suggestion?: string } {
    const clean = path.replace(/\\+/g, "/");
    return clean === "" || clean.split("/").includes("..") ? {} : { suggestion: clean };
}
