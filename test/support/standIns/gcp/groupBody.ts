import type { Properties } from "../../../../src/provider/values";
import type { Json } from "./client";
import type { Known } from "./known";

/** What the stand-in passes on of a group of a zone. */
export const ZONAL: Known = {
    baseInstanceName: true,
    description: true,
    instanceLifecyclePolicy: ["defaultActionOnFailure", "forceUpdateOnRepair", "onRepair"],
    "instanceLifecyclePolicy.onRepair": ["allowChangingZone"],
    listManagedInstancesResults: true,
    name: true,
    project: true,
    targetSize: true,
    updatePolicy: [
        "maxSurgeFixed",
        "maxUnavailableFixed",
        "minimalAction",
        "mostDisruptiveAllowedAction",
        "replacementMethod",
        "type",
    ],
    versions: ["instanceTemplate", "name"],
    waitForInstances: true,
    waitForInstancesStatus: true,
    zone: true,
};

/** And of a group of a region. */
export const REGIONAL: Known = {
    ...Object.fromEntries(Object.entries(ZONAL).filter(([name]) => name !== "zone")),
    distributionPolicyTargetShape: true,
    distributionPolicyZones: true,
    region: true,
    updatePolicy: [...(ZONAL.updatePolicy as readonly string[]), "instanceRedistributionType"],
};

/** The body of `insert`. Where no size is given, there are no instances. */
export function groupBody(inputs: Properties, name: string): object {
    const given = inputs as Json;
    const zones = given.distributionPolicyZones as string[] | undefined;
    const targetShape = given.distributionPolicyTargetShape as string | undefined;
    return {
        name,
        baseInstanceName: given.baseInstanceName,
        targetSize: given.targetSize ?? 0,
        description: given.description ?? "",
        listManagedInstancesResults: given.listManagedInstancesResults ?? "PAGELESS",
        ...settingsOf(inputs),
        ...((zones || targetShape) && {
            distributionPolicy: {
                ...(zones && { zones: zones.map((zone) => ({ zone: `zones/${zone}` })) }),
                ...(targetShape && { targetShape }),
            },
        }),
    };
}

/** What of it may change. */
export function settingsOf(inputs: Properties): Record<string, unknown> {
    const given = inputs as Json;
    return {
        versions: given.versions.map(({ instanceTemplate, name }: Json) => ({
            instanceTemplate: byUniqueId(instanceTemplate as string),
            name,
        })),
        ...(given.updatePolicy && { updatePolicy: updatePolicy(given.updatePolicy) }),
        ...(given.instanceLifecyclePolicy && { instanceLifecyclePolicy: given.instanceLifecyclePolicy }),
    };
}

// What is not said of a policy that is there is 0, and not what it would be without one: as the provider has it.
function updatePolicy({ maxSurgeFixed = 0, maxUnavailableFixed = 0, ...rest }: Json): object {
    return { ...rest, maxSurge: { fixed: maxSurgeFixed }, maxUnavailable: { fixed: maxUnavailableFixed } };
}

// `.../name?uniqueId=1` becomes `.../1`.
function byUniqueId(link: string): string {
    const [path = "", id] = link.split("?uniqueId=");
    return id === undefined ? path : `${path.slice(0, path.lastIndexOf("/"))}/${id}`;
}
