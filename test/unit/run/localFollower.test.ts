import * as fs from "node:fs";
import * as path from "node:path";
import { here } from "../../../src/place";
import { createFollower } from "../../../src/run/local/follower";
import { useFolder } from "../../support/folder";

const follower = createFollower();

describe("the local follower, of a run that was started", () => {
    const folder = useFolder();
    const run = (attempt = 1) => ({ runId: "r", attempt, runDir: folder() });
    const write = (name: string, content: string) => fs.writeFileSync(path.join(folder(), name), content);
    const place = (change: object) => write("place.json", JSON.stringify({ ...here(), ...change }));
    const started = '{"n":1,"attempt":1,"type":"run.started","time":"2026-01-01T00:00:00Z","pid":1}\n';
    beforeEach(() => {
        write("events.jsonl", started);
        write("runner.pid", `${process.pid} 0`);
    });

    it("here, is running as long as its runner lives", async () => {
        place({});
        expect(await follower.lastOutcome(run())).toEqual({ kind: "Running" });
        expect(await follower.lastOutcome(run(2))).toEqual({ kind: "NotStarted" });
    });

    it.each([
        ["in another container", { namespace: "pid:[1]" }],
        ["on another machine", { host: "far", boot: "other" }],
    ])("%s, never passes for lost: nothing is run twice on a guess", async (_, change) => {
        place(change);
        await expect(follower.lastOutcome(run())).rejects.toThrow(/nobody can tell whether it still runs/);
        await expect(follower.cancel(run(), "why")).rejects.toThrow(/nobody can tell/);
        expect(fs.existsSync(path.join(folder(), "cancel"))).toBe(false);
    });

    it("elsewhere, and has ended, is known by its record", async () => {
        place({ host: "far", boot: "other" });
        write(
            "events.jsonl",
            `${started}{"n":2,"attempt":1,"type":"run.finished","state":"Succeeded","reason":"","exitCode":0,"message":""}\n`,
        );
        expect(await follower.lastOutcome(run())).toMatchObject({ kind: "Finished", state: "Succeeded" });
    });

    it("before a reboot, is lost, and strangers with its numbers are left alone", async () => {
        place({ boot: "other" });
        expect(await follower.lastOutcome(run())).toMatchObject({
            kind: "Finished",
            state: "Lost",
            reason: "RunnerKilled",
        });
        fs.mkdirSync(path.join(folder(), "steps/load"), { recursive: true });
        write("steps/load/pid", `${process.pid} 0`);
        const items = [];
        for await (const item of follower.follow(run(), new AbortController().signal)) {
            items.push(item.type);
        }
        expect(items).toEqual(["event", "lost"]);
    });

    it("reads the events of its attempt behind a torn one of the attempt before", async () => {
        place({});
        const second = started.replace('"n":1,"attempt":1', '"n":2,"attempt":2');
        const ended =
            '{"n":3,"attempt":2,"type":"run.finished","state":"Succeeded","reason":"","exitCode":0,"message":""}\n';
        write("events.jsonl", `${started}${second}${ended}`);
        fs.mkdirSync(path.join(folder(), "attempts"));
        write(
            "attempts/2.json",
            JSON.stringify({ logOffset: 0, eventsOffset: started.length + 30, graceSeconds: 1 }),
        );
        const types = [];
        for await (const item of follower.follow(run(2), new AbortController().signal)) {
            types.push(item.type === "event" ? item.event.type : item.type);
        }
        expect(types).toEqual(["run.started", "run.finished"]);
    });
});
