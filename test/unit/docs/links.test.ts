import * as fs from "node:fs";
import * as path from "node:path";
import { markdown, pages, read, REPO } from "./pages";

const WEB = /^(https?|mailto):/;

describe.each(pages())("links of %s", (page) => {
    const links = markdown.links(read(page));

    it("lead to files and headings that exist", () => {
        const broken = links.filter((link) => !WEB.test(link)).filter((link) => !leadsSomewhere(page, link));
        expect(broken).toEqual([]);
    });

    it("are well formed where they leave the repository", () => {
        const outside = links.filter((link) => WEB.test(link));
        expect(outside.filter((link) => !URL.canParse(link) || link.startsWith("http:"))).toEqual([]);
    });
});

it("finds broken links, or the tests above could not fail", () => {
    const text = "# One `two`\n[a](#one-two) [b](nowhere.md) ![c](x.svg)\n```\n[d](not-a-link)\n```\n";
    expect(markdown.links(text)).toEqual(["#one-two", "nowhere.md", "x.svg"]);
    expect(markdown.anchors(text)).toEqual(["one-two"]);
    expect(leadsSomewhere("README.md", "nowhere.md")).toBe(false);
    expect(leadsSomewhere("README.md", "docs/concepts.md#no-such-heading")).toBe(false);
});

function leadsSomewhere(page: string, link: string): boolean {
    const [target, anchor] = link.split("#");
    const file = target === "" ? page : path.join(path.dirname(page), target);
    if (!fs.existsSync(path.join(REPO, file))) {
        return false;
    }
    return anchor === undefined || !file.endsWith(".md") || markdown.anchors(read(file)).includes(anchor);
}
