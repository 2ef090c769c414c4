import * as fs from "node:fs";
import * as path from "node:path";
import { openArtifactStore } from "../../../src/stores/artifacts/open";
import { useFolder } from "../../support/folder";

const HOUR_S = 3600;

describe("a store in a folder", () => {
    const folder = useFolder();
    const incomplete = (name = "") => path.join(folder(), ".incomplete", name);
    const leave = (name: string, hours: number) => {
        fs.mkdirSync(incomplete(), { recursive: true });
        fs.writeFileSync(incomplete(name), "half");
        const then = Date.now() / 1000 - hours * HOUR_S;
        fs.utimesSync(incomplete(name), then, then);
    };
    const put = () => openArtifactStore(folder()).put("a/b", { bytes: Buffer.from("x") });

    it("removes what killed writers have left when a day is over, and nothing that may be in work", async () => {
        leave("of-yesterday", 25);
        leave("in-work", 23);
        fs.mkdirSync(incomplete("folder"));
        expect(await put()).toBe("stored");
        expect(fs.readdirSync(incomplete()).sort()).toEqual(["folder", "in-work"]);
        expect(fs.readFileSync(path.join(folder(), "a/b"), "utf8")).toBe("x");
    });

    it("stores although what is left can't be removed", async () => {
        leave("of-yesterday", 25);
        const rm = jest.spyOn(fs.promises, "rm");
        rm.mockRejectedValueOnce(Object.assign(new Error("not yours"), { code: "EPERM" }));
        try {
            expect(await put()).toBe("stored");
            expect(rm).toHaveBeenCalledWith(incomplete("of-yesterday"), expect.anything());
        } finally {
            rm.mockRestore();
        }
        expect(fs.readdirSync(incomplete())).toEqual(["of-yesterday"]);
    });
});
