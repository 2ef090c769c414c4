import { Config } from "@pulumi/pulumi/config";
import { launcherScript } from "../../src/runner/launcher";
import { runnerScript } from "../../src/runner/script";
import { shipScript } from "../../src/runner/ship";
import { vmBootScript, vmFiles, type VmSettings } from "../../src/runner/vm";
import type { DeclaredRun } from "../declaredRun";
import { mebibytes } from "../docker/sizes";
import { BadInputError } from "../errors";
import * as pulumi from "../sdk";
import { TRANSFER_IMAGE } from "../transferImage";
import type { GcpOrchestratorArgs } from "./args";

const USER = "65532:65532";

/** The startup script: all that the machine needs to find the rest. Everybody who may see the instance can read it. */
export function startupScript(
    args: GcpOrchestratorArgs,
    run: DeclaredRun,
    secrets: pulumi.Output<Record<string, string>>,
    where: string,
): pulumi.Output<string> {
    const { transfer = {}, user = USER, shmSize } = args;
    const { runId, attempt, nonce, codeHash, image } = run;
    const known = pulumi.output({
        rclone: run.store?.rclone,
        env: publicOnly(transfer.env, where),
        transferImage: transfer.image,
        attempt: { runId, attempt, nonce, codeHash, image },
        secrets,
    });
    return known.apply(({ rclone, env, transferImage, attempt: of, secrets: references }) =>
        checkedScript(
            {
                ...of,
                image: of.image ?? "",
                remote: rclone?.remote ?? "",
                transferImage: transferImage ?? TRANSFER_IMAGE,
                rcloneEnv: { ...rclone?.env, ...env },
                user: user === "image" ? undefined : user,
                graceSeconds: run.graceSeconds,
                spot: args.preemptible ?? true,
                registries: args.registries,
                secrets: references,
                gpus: args.gpu ? "all" : undefined,
                shmSize: shmSize === undefined ? undefined : `${mebibytes(shmSize)}m`,
                secretsEndpoint: secretsEndpoint(),
            },
            where,
        ),
    );
}

/** What the startup script fetches from the store. */
export function bootFiles(run: DeclaredRun): Record<string, pulumi.Input<string>> {
    return {
        ...vmFiles("gce"),
        "ship.sh": shipScript(),
        "launcher.sh": launcherScript(),
        "runner.sh": runnerScript(),
        "plan.sh": run.plan({ ships: true }),
    };
}

/** @throws BadInputError for settings that are too many, or that can't be written down. */
export function checkedScript(settings: VmSettings, where: string): string {
    try {
        return vmBootScript("gce", settings);
    } catch (error) {
        throw error instanceof RangeError ? new BadInputError([`${where}: ${error.message}`]) : error;
    }
}

/** Where Secret Manager is for the machine, if not at Google's own address. */
function secretsEndpoint(): string | undefined {
    const configured = new Config("gcp").get("secretManagerCustomEndpoint");
    return (process.env.STACKRUN_SECRETS_ENDPOINT || configured)?.replace(/\/+$/, "");
}

/**
 * The metadata of an instance is no place for secrets.
 * @throws BadInputError for variables that are some
 */
export async function publicOnly(
    env: Record<string, pulumi.Input<string>> = {},
    where: string,
): Promise<pulumi.Output<Record<string, string>>> {
    const secret = await Promise.all(
        Object.entries(env).map(async ([name, value]) =>
            pulumi.Output.isInstance(value) && (await pulumi.isSecret(value as pulumi.Output<unknown>))
                ? [name]
                : [],
        ),
    );
    if (secret.flat().length > 0) {
        throw new BadInputError(
            secret
                .flat()
                .map(
                    (name) =>
                        `${where}: transfer.env.${name} is a secret, and the instance's metadata, in which it would stand, is none; allowed: what everybody may read. The store is opened by the machine's own identity`,
                ),
        );
    }
    return pulumi.output(env);
}
