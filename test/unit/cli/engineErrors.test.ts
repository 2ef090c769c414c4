import { spawnSync } from "node:child_process";
import * as os from "node:os";
import { hasEnded, lockHolders, plainMessage, remedyFor } from "../../../src/cli/engineErrors";

const LOCKED = `error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.
  file:///tmp/x/.pulumi/locks/organization/slow/dev/42e5.json?no_tmp_dir=true: created by user@box (pid 24008) at 2026-11-22T14:27:25Z`;

describe("what the engine complains of", () => {
    it("tells who holds a lock", () => {
        expect(lockHolders(LOCKED)).toEqual([
            {
                file: "/tmp/x/.pulumi/locks/organization/slow/dev/42e5.json",
                user: "user",
                host: "box",
                pid: 24008,
                since: "2026-11-22T14:27:25Z",
            },
        ]);
        expect(lockHolders("error: something else")).toEqual([]);
    });

    it("takes a holder for dead only if it was a process of this machine", () => {
        const { pid } = spawnSync("true");
        const holder = { file: "/x", user: "user", since: "", host: os.hostname() };
        expect(hasEnded({ ...holder, pid })).toBe(true);
        expect(hasEnded({ ...holder, pid: process.pid })).toBe(false);
        expect(hasEnded({ ...holder, pid, host: `not-${os.hostname()}` })).toBe(false);
    });

    it.each([
        [LOCKED, "pulumi cancel --yes --stack dev"],
        [
            "error: [409] Conflict: Another update is currently in progress.",
            "pulumi cancel --yes --stack dev",
        ],
        [
            "error: getting secrets manager: passphrase must be set with PULUMI_CONFIG_PASSPHRASE",
            "set PULUMI_CONFIG_PASSPHRASE",
        ],
        ["error: incorrect passphrase", "with which the stack was made"],
        [
            "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions",
            "`pulumi login`",
        ],
        ["error: write /x/dev.json: no space left on device", "The disk is full"],
    ])("knows what helps against %s", (message, remedy) => {
        expect(remedyFor(message, "dev")).toContain(remedy);
    });

    it("has no remedy for what it doesn't know", () => {
        expect(remedyFor("error: step two failed", "dev")).toBeUndefined();
    });

    it("leaves out what only says that something failed, repetitions, prefixes and stacks", () => {
        const message = `error: the record is gone
    at Object.run (/x/y.js:3:4)
error: update failed
warning: the record is gone
error: resource monitor shut down while waiting on step's done channel

`;
        expect(plainMessage(message)).toBe("the record is gone");
    });
});
