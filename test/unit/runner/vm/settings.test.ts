import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { vmBootScript, vmFiles, type VmSettings } from "../../../../src/runner/vm";
import { useFolder } from "../../../support/folder";
import { describeShells, describeWithTool, toolPath } from "../../../support/shells";

const SETTINGS: VmSettings = {
    remote: "stackrun:bucket/prefix",
    runId: "run-1",
    attempt: 2,
    nonce: "0123456789abcdef",
    image: "image:1",
    transferImage: "transfer:1",
    rcloneEnv: { RCLONE_CONFIG_STACKRUN_TYPE: "local" },
    graceSeconds: 10,
    spot: true,
};

describeWithTool("shellcheck", "the machine's scripts", () => {
    const texts = { "boot.sh": vmBootScript("gce", SETTINGS), ...vmFiles("gce") };

    test.each(Object.entries(texts))("%s has nothing that shellcheck would change", (_, input) => {
        const { stdout, status } = spawnSync("shellcheck", ["--shell=sh", "-"], { input, encoding: "utf8" });
        expect({ stdout, status }).toEqual({ stdout: "", status: 0 });
    });

    test("leave room for settings", () => {
        expect(Buffer.byteLength(texts["boot.sh"])).toBeLessThan(11_000);
    });
});

describeShells("settings", (shell) => {
    const folder = useFolder();

    test("arrive as they are, whatever is in them", () => {
        const odd = 'it\'s `a` $(touch bad) "b" \\ stackrun-ends # ünï';
        const script = vmBootScript("gce", {
            ...SETTINGS,
            remote: `stackrun:${odd}`,
            image: odd,
            rcloneEnv: { ONE: odd, TWO: "stackrun-ends" },
            secrets: { A: "projects/p/secrets/a/versions/1", B: odd },
            registries: ["one.example", "two.example:5000"],
            user: "1000:1000",
        });
        const names = [
            "REMOTE",
            "IMAGE",
            "RCLONE_ENV",
            "SECRETS",
            "REGISTRIES",
            "USER",
            "ATTEMPT",
            "SPOT",
            "CODE_HASH",
        ];
        const head = script.slice(0, script.indexOf("# shellcheck shell=sh"));
        const show = names.map((name) => `printf '%s\\0' "$STACKRUN_${name}"`).join("\n");
        fs.writeFileSync(path.join(folder(), "head.sh"), `${head}\n${show}\n`);
        const [command, ...first] = shell.argv;
        const { stdout, stderr } = spawnSync(toolPath(command), [...first, "head.sh"], {
            cwd: folder(),
            env: { PATH: process.env.PATH, STACKRUN_MACHINE_DIR: path.join(folder(), "run") },
            encoding: "utf8",
        });
        expect(stderr).toBe("");
        expect(stdout.split("\0").slice(0, -1)).toEqual([
            `stackrun:${odd}`,
            odd,
            `ONE=${odd}\nTWO=stackrun-ends`,
            `A=projects/p/secrets/a/versions/1\nB=${odd}`,
            "one.example two.example:5000",
            "1000:1000",
            "2",
            "1",
            "",
        ]);
        expect(fs.readdirSync(folder()).sort()).toEqual(["head.sh", "run"]);
    });
});

describe("settings that can't be", () => {
    test("more than a cloud takes is refused, with its size", () => {
        const rcloneEnv = { LONG: "x".repeat(10_000) };
        expect(() => vmBootScript("gce", { ...SETTINGS, rcloneEnv })).toThrow(RangeError);
        expect(() => vmBootScript("gce", { ...SETTINGS, rcloneEnv })).toThrow(
            /has \d{5} bytes, 16384 at most are allowed: its settings have 10\d{3}$/,
        );
    });

    test("what would be something else on the machine is refused, all of it at once", () => {
        const bad = { ...SETTINGS, image: "a\nb", user: "nobody", secrets: { "A-B": "x", C: "x\ny" } };
        expect(() => vmBootScript("gce", bad)).toThrow(
            "the machine's settings can't be written: A-B is no variable's name; image has more than one line; " +
                'C has more than one line; the user "nobody" is not uid or uid:gid',
        );
    });
});
