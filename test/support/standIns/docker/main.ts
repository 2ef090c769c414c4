import type { CheckFailure, ResourceHandler } from "../../../../src/provider/handler";
import { serve } from "../../../../src/provider/serve";
import type { Decoded } from "../../../../src/provider/values";
import { StandInServer } from "../server";
import { strictFailures } from "../strict";
import { Connection } from "./connection";
import { configFailures } from "./config";
import { containerHandler } from "./container";
import { completeBuild, imageHandler } from "./image";
import { functionsOf } from "./functions";
import { networkHandler } from "./network";
import { remoteImageHandler } from "./remoteImage";
import { dockerTypes } from "./types";
import { volumeHandler } from "./volume";

const IMAGE = "docker:index/image:Image";

/** A stand-in for `pulumi-resource-docker`, where the real one can't be had: the same resources by real API calls. */
export function main(argv: readonly string[]): Promise<void> {
    const connection = new Connection();
    const handlers: Record<string, ResourceHandler> = {
        "docker:index/container:Container": strict("ContainerArgs", containerHandler(connection)),
        "docker:index/volume:Volume": strict("VolumeArgs", volumeHandler(connection)),
        "docker:index/network:Network": strict("NetworkArgs", networkHandler(connection)),
        "docker:index/remoteImage:RemoteImage": strict("RemoteImageArgs", remoteImageHandler(connection)),
        [IMAGE]: strict("ImageArgs", imageHandler(connection)),
    };
    return serve(
        (engineAddress) =>
            new StandInServer({
                version: "5.2.0",
                schema: "{}",
                handlers,
                engineAddress,
                functions: functionsOf(connection),
                checkConfig: (config) => [
                    ...strictFailures(dockerTypes, "ProviderArgs", config),
                    ...configFailures(config),
                ],
                configure: (config) => connection.configure(config),
                complete: (type, inputs) => (type === IMAGE ? completeBuild(inputs) : undefined),
            }),
        argv,
    );
}

function strict(type: string, handler: ResourceHandler): ResourceHandler {
    const check = (request: { urn: string; inputs: Decoded }): CheckFailure[] => [
        ...strictFailures(dockerTypes, type, request.inputs.value),
        ...handler.check(request),
    ];
    return { ...handler, check };
}
