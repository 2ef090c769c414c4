import * as fs from "node:fs";
import * as path from "node:path";
import { loadPeer } from "../../../../src/run/peer";
import { loadFollower } from "../../../../src/run/registry";
import { Recorder } from "../../../../src/testing";
import type { Producers } from "./said";

/** Loads a module with this text as a follower. */
const load = (text: string) => (folder: string) => {
    const module = path.join(folder, "follower.js");
    fs.writeFileSync(module, text);
    return loadFollower({ module });
};

/** What is wrong with a follower of one's own. */
export const FOLLOWERS: Producers = {
    'follower "…" is not known; use …, or the absolute path of a module (require.resolve("./follower"))':
        () => loadFollower({ module: "./follower" }),
    "follower module … can't be loaded: …": load('require("no-such-package");'),
    "… needs the package …, which is not installed: npm install …": () =>
        loadPeer("no-such-package", () => import(`no-such-package${""}`), "the tested follower"),
    'follower module … exports no function "createFollower"': load("exports.create = () => ({});"),
};

/** What a test of one's own is told. */
export const TESTS: Producers = {
    "… resources are …; declared: …": async () => (await Recorder.install()).one("stackrun:index:Run"),
};
