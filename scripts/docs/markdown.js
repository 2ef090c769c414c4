"use strict";
// Reads what the tests and generators of the documentation need to know of a Markdown file.

/**
 * The fenced blocks of a text: `{ language, code, line, notes }`. `notes` are the HTML comments right before the fence:
 * `<!-- before: … -->` stands in front of the code when it is checked, `<!-- after: … -->` behind it, others are marks.
 */
function fences(markdown) {
    const found = [];
    const lines = markdown.split("\n");
    for (let i = 0; i < lines.length; i++) {
        const open = /^(\s*)(`{3,})(\w*)\s*$/.exec(lines[i]);
        if (open) {
            const [, indent, ticks, language] = open;
            const end = lines.findIndex((line, at) => at > i && line.trim() === ticks);
            const code = lines.slice(i + 1, end < 0 ? undefined : end);
            found.push({
                language,
                code: code.map((line) => line.slice(Math.min(indent.length, line.search(/\S|$/)))).join("\n"),
                line: i + 1,
                notes: notesBefore(lines, i),
            });
            i = end < 0 ? lines.length : end;
        }
    }
    return found;
}

/** The comments that end right above a line. */
function notesBefore(lines, at) {
    const above = lines.slice(0, at).join("\n").trimEnd();
    const notes = {};
    let rest = above;
    for (;;) {
        const comment = /<!--((?:(?!-->)[\s\S])*)-->$/.exec(rest);
        if (!comment) {
            return notes;
        }
        const [, name, text] = /^\s*([\w-]+):?([\s\S]*)$/.exec(comment[1]) ?? [
            undefined,
            comment[1].trim(),
            "",
        ];
        notes[name] = text.trim();
        rest = rest.slice(0, comment.index).trimEnd();
    }
}

/** The text without its fenced blocks, and without comments. */
function prose(markdown) {
    return markdown.replace(/^(\s*)(`{3,})[\s\S]*?^\s*\2\s*$/gm, "").replace(/<!--[\s\S]*?-->/g, "");
}

/** The targets of all links and pictures: `[text](target)`, `[text]: target` and `<img src="target">`. */
function links(markdown) {
    const text = prose(markdown).replace(/`[^`\n]*`/g, "``");
    return [
        ...text.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g),
        ...text.matchAll(/^\[[^\]]+\]:\s+(\S+)/gm),
        ...text.matchAll(/<(?:img|source|a)\s[^>]*(?:src|srcset|href)="([^"]+)"/g),
    ].map(([, target]) => target);
}

/** The anchors of a text's headings, as GitHub makes them. */
function anchors(markdown) {
    const counts = new Map();
    const headings = [...prose(markdown).matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm)].map(([, text]) => text);
    return headings.map((heading) => {
        const anchor = anchorOf(heading);
        const count = counts.get(anchor) ?? 0;
        counts.set(anchor, count + 1);
        return count === 0 ? anchor : `${anchor}-${count}`;
    });
}

/** Lower case, without punctuation, blanks as hyphens. */
function anchorOf(heading) {
    return heading
        .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replace(/\s/g, "-");
}

/** A cell of a table: one line, and no `|` that would end it. */
function cell(text) {
    return text.replace(/\s+/g, " ").replaceAll("|", "\\|").trim();
}

module.exports = { anchorOf, anchors, cell, fences, links };
