import * as path from "node:path";
import { declaredTypes } from "../../support/standIns/declaredTypes";
import { dockerTypes } from "../../support/standIns/docker/types";
import { strictFailures } from "../../support/standIns/strict";
import { REPO } from "../../support/project";

describe("the stand-in for pulumi-resource-docker", () => {
    test("takes exactly the inputs that the SDK declares", () => {
        const files = [
            ...["container", "image", "network", "provider", "remoteImage", "volume", "types/input"],
            ...["getRegistryImage", "getRemoteImage"],
        ];
        const declared = declaredTypes(
            files.map((file) => path.join(REPO, `node_modules/@pulumi/docker/${file}.d.ts`)),
        );
        const used = Object.fromEntries(Object.keys(dockerTypes).map((name) => [name, declared[name]]));
        expect(dockerTypes).toEqual(used);
        const args = Object.keys(dockerTypes).filter((name) => name.endsWith("Args"));
        expect(args.sort()).toEqual([
            "ContainerArgs",
            "GetRegistryImageArgs",
            "GetRemoteImageArgs",
            "ImageArgs",
            "NetworkArgs",
            "ProviderArgs",
            "RemoteImageArgs",
            "VolumeArgs",
        ]);
    });

    test("names every mistake, at any depth", () => {
        const inputs = {
            nme: "x",
            command: "true",
            memory: "512",
            logOpts: { tag: 1 },
            mounts: [{ type: "bind", source: "/x", readonly: true }],
            capabilities: { drops: ["ALL", 1] },
        };
        expect(strictFailures(dockerTypes, "ContainerArgs", inputs)).toEqual([
            { property: "nme", reason: "ContainerArgs has no such property" },
            { property: "command", reason: "has to be a list, and is a string" },
            { property: "memory", reason: "has to be a number, and is a string" },
            { property: 'logOpts["tag"]', reason: "has to be a string, and is a number" },
            { property: "mounts[0].readonly", reason: "ContainerMount has no such property" },
            { property: "mounts[0].target", reason: "is required" },
            { property: "capabilities.drops[1]", reason: "has to be a string, and is a number" },
            { property: "image", reason: "is required" },
        ]);
    });

    test("accepts what is right, and what is not known yet", () => {
        const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
        const inputs = {
            image: unknown,
            memory: unknown,
            mounts: [{ type: "volume", target: "/x", source: unknown }],
        };
        expect(strictFailures(dockerTypes, "ContainerArgs", inputs)).toEqual([]);
        expect(strictFailures(dockerTypes, "ContainerArgs", { image: "x", name: null })).toEqual([]);
    });
});
