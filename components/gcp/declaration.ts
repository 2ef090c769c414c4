import { Instance, type InstanceArgs } from "@pulumi/gcp/compute/instance";
import { LAYOUT } from "../../src/stores/artifacts/types";
import type { DeclaredRun } from "../declaredRun";
import { AttemptSpec, StoredFiles } from "../resources";
import * as pulumi from "../sdk";
import type { GcpOrchestratorArgs } from "./args";
import { bootFiles, startupScript } from "./boot";
import type { Identity } from "./identity";
import { insertBody, ZONE } from "./insertBody";
import { instanceArgs, keptArgs } from "./instance";
import type { Place } from "./place";
import { MadeMachine } from "./resources";
import { declaredSecrets } from "./secrets";

export interface DeclarationParts {
    readonly place: Place;
    readonly identity: Identity;
    /** The store's URL. */
    readonly store: pulumi.Output<string>;
    /** What follows the run makes the machine. */
    readonly made: boolean;
    /** What has to be there before anything of a run. */
    readonly first: readonly pulumi.Resource[];
    readonly where: string;
}

/** What one attempt needs on Google Cloud. */
export function declareAttempt(
    parent: pulumi.Resource,
    name: string,
    args: GcpOrchestratorArgs,
    run: DeclaredRun,
    { place, identity, store, made, first, where }: DeclarationParts,
): pulumi.Resource[] {
    const options = { parent, dependsOn: [...first] };
    const { project } = place;
    const secrets = declaredSecrets(
        name,
        {
            project,
            store,
            labels: args.labels,
            names: run.pipeline.secrets,
            values: run.secrets,
            member: identity.member,
        },
        options,
    );
    const machine = instanceArgs(args, {
        name: pulumi.interpolate`stackrun-${run.attemptName}`,
        runId: run.runId,
        attempt: run.attempt,
        project,
        zone: made ? ZONE : place.zones[0],
        serviceAccount: identity.email,
        startupScript: startupScript(args, run, secrets.references, where),
        timeoutSeconds: run.timeoutSeconds,
    });
    const zones = pulumi.all([...place.zones]);
    const body = made
        ? pulumi
              .all([pulumi.output(machine as object), zones])
              .apply(([known, all]) => insertBody(known as InstanceArgs, all, where))
        : undefined;
    const files = {
        ...bootFiles(run),
        ...(body ? { "machine.json": body.apply((one) => JSON.stringify(one)) } : {}),
    };
    const spec = new AttemptSpec(
        `${name}-spec`,
        {
            attempt: run.attemptName,
            value: {
                store,
                files,
                ...(body ? { project, zones, name: machine.name, body } : { machine }),
            },
        },
        { parent },
    );
    const kept = <T>(part: string) => spec.kept.apply((value) => value?.[part] as T);
    const boot = new StoredFiles(
        `${name}-files`,
        {
            store: kept<string>("store"),
            prefix: pulumi
                .all([run.runId, run.attempt])
                .apply(([runId, attempt]) => `${LAYOUT.attempt(runId, attempt)}/boot`),
            files: kept<Record<string, string>>("files"),
            attempt: run.attemptName,
        },
        options,
    );
    const code = run.store?.bundle(`${name}-code`, options);
    const needed = [...identity.resources, ...secrets.resources, boot, ...(code ? [code] : [])];
    const own = { parent, dependsOn: needed, deleteBeforeReplace: true };
    const declared = body
        ? new MadeMachine(
              `${name}-machine`,
              {
                  project: kept<string>("project"),
                  zones: kept<string[]>("zones"),
                  name: kept<string>("name"),
                  computeEndpoint: place.computeEndpoint,
                  body: kept<object>("body"),
              },
              own,
          )
        : new Instance(`${name}-machine`, keptArgs(machine, kept("machine")), own);
    return [...needed, declared];
}
