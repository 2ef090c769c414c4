import { selfLink } from "../links";
import type { Group } from "./group";
import type { Managed } from "./managed";

const ACTIONS = [
    "abandoning",
    "creating",
    "creatingWithoutRetries",
    "deleting",
    "none",
    "recreating",
    "refreshing",
    "restarting",
    "resuming",
    "starting",
    "stopping",
    "suspending",
    "verifying",
];

/** A group as the API shows it. */
export function showGroup(group: Group): object {
    const { resource, place, zones, world, managed, template } = group;
    const { instanceLifecyclePolicy: policy, updatePolicy, distributionPolicy, ...rest } = resource;
    const { project } = world.instances.world;
    const regional = place.kind === "regions";
    const surge = { fixed: regional ? zones.length : 1 };
    const link = versionLink(group);
    return {
        kind: "compute#instanceGroupManager",
        id: group.id,
        creationTimestamp: group.created,
        description: "",
        ...rest,
        baseInstanceName: group.baseInstanceName,
        [regional ? "region" : "zone"]: selfLink(`projects/${project}/${place.kind}/${place.name}`),
        ...(regional && {
            distributionPolicy: {
                targetShape: "EVEN",
                ...distributionPolicy,
                zones: zones.map((zone) => ({ zone: selfLink(`projects/${project}/zones/${zone}`) })),
            },
        }),
        instanceTemplate: link,
        versions: [
            {
                ...resource.versions?.[0],
                instanceTemplate: link,
                targetSize: { calculated: group.targetSize },
            },
        ],
        instanceGroup: selfLink(group.path.replace("/instanceGroupManagers/", "/instanceGroups/")),
        targetSize: group.targetSize,
        listManagedInstancesResults: resource.listManagedInstancesResults ?? "PAGELESS",
        fingerprint: group.fingerprint,
        selfLink: selfLink(group.path),
        currentActions: Object.fromEntries(
            ACTIONS.map((name) => [
                name,
                managed.filter(({ action }) => action.toLowerCase() === name).length,
            ]),
        ),
        updatePolicy: {
            type: "OPPORTUNISTIC",
            minimalAction: "REPLACE",
            maxSurge: surge,
            maxUnavailable: surge,
            replacementMethod: "SUBSTITUTE",
            ...(regional && { instanceRedistributionType: "PROACTIVE" }),
            ...updatePolicy,
        },
        instanceLifecyclePolicy: {
            defaultActionOnFailure: "REPAIR",
            forceUpdateOnRepair: "NO",
            ...policy,
            onRepair: { allowChangingZone: "NO", ...policy?.onRepair },
        },
        status: {
            isStable: group.stable,
            versionTarget: { isReached: managed.every((one) => one.template === template) },
            stateful: { hasStatefulConfig: false, perInstanceConfigs: { allEffective: true } },
            allInstancesConfig: { effective: true },
        },
    };
}

/** An instance of a group, as `listManagedInstances` shows it. */
export function showManaged(managed: Managed, group: Group): object {
    const { present, action, errors, template, link, name } = managed;
    return {
        instance: link,
        name,
        ...(present && { id: present.id, instanceStatus: present.status }),
        currentAction: action,
        version: { instanceTemplate: selfLink(group.world.templates.pathOf(template)) },
        lastAttempt: {
            ...(errors.length > 0 && {
                errors: { errors: errors.slice(-1).map(({ code, message }) => ({ code, message })) },
            }),
        },
    };
}

/** The errors of what goes on in a group, the last ones first, as `listErrors` shows them. */
export function showErrors(group: Group): object[] {
    const version = { instanceTemplate: selfLink(group.world.templates.pathOf(group.template)) };
    return group.managed
        .flatMap(({ link, errors }) =>
            errors.map(({ code, message, action, at }) => ({
                error: { code, message },
                timestamp: at,
                instanceActionDetails: { action, instance: link, version },
            })),
        )
        .reverse();
}

// A template that was named by its id is shown with it.
function versionLink({ world, template, resource }: Group): string {
    const link = selfLink(world.templates.pathOf(template));
    const given = resource.versions?.[0]?.instanceTemplate ?? resource.instanceTemplate ?? "";
    return given.includes(template.id) ? `${link}?uniqueId=${template.id}` : link;
}
