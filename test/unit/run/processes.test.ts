import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { isAlive, killOrphans, readProcessMark } from "../../../src/run/local/processes";
import { isRunning } from "../../support/processes";
import { until } from "../../support/project";
import { useFolder } from "../../support/folder";

describe("processes of a killed runner", () => {
    const folder = useFolder();
    let child: ChildProcess;
    beforeEach(() => {
        child = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
    });
    afterEach(() => child.kill("SIGKILL"));

    const startTime = (pid: number) => {
        const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
        return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    };
    const mark = (step: string, text: string) => {
        fs.mkdirSync(path.join(folder(), step));
        fs.writeFileSync(path.join(folder(), step, "pid"), text);
    };

    it("are told from later ones of the same number by their start time", async () => {
        const pid = child.pid as number;
        expect(await isAlive({ pid, startTime: startTime(pid) })).toBe(true);
        expect(await isAlive({ pid, startTime: "0" })).toBe(true);
        expect(await isAlive({ pid, startTime: "1" })).toBe(false);
    });

    it("are not alive once they have ended", async () => {
        const pid = child.pid as number;
        child.kill("SIGKILL");
        await until(
            async () => !(await isAlive({ pid, startTime: "0" })),
            5000,
            () => "its end",
        );
        expect(await isAlive({ pid, startTime: "0" })).toBe(false);
    });

    it("are ended with their whole group, and strangers are not", async () => {
        const pid = child.pid as number;
        const stranger = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
        mark("mine", `${pid} ${startTime(pid)}\n`);
        mark("stranger", `${stranger.pid} 1\n`);
        mark("torn", "");
        await killOrphans(folder());
        await until(
            () => !isRunning(pid),
            5000,
            () => "its end",
        );
        expect(isRunning(stranger.pid as number)).toBe(true);
        expect(fs.existsSync(path.join(folder(), "mine/pid"))).toBe(false);
        stranger.kill("SIGKILL");
    });

    it.each([
        ["", undefined],
        ["abc 1", undefined],
        ["1 5", undefined],
        ["42 7\n", { pid: 42, startTime: "7" }],
    ])("are read from %j", async (text, expected) => {
        fs.writeFileSync(path.join(folder(), "pid"), text);
        expect(await readProcessMark(path.join(folder(), "pid"))).toEqual(expected);
    });
});
