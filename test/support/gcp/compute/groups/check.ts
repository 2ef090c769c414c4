import { ApiError, invalid, notFound } from "../../api/errors";
import { regionOf, ZONES } from "../catalog";
import { lastPart } from "../links";
import type { InstanceTemplate } from "../templates";
import { checkName } from "../validate";
import type { GroupInsert, GroupPlace, UpdatePolicy } from "./types";

const SHAPES = ["EVEN", "BALANCED", "ANY", "ANY_SINGLE_ZONE"];

/** What Google refuses of a group before it makes one. Throws the first. */
export function checkGroup(group: GroupInsert, place: GroupPlace): void {
    checkName("resource.name", group.name);
    // Each instance's name is this one, a hyphen and four characters.
    const base = group.baseInstanceName ?? group.name;
    if (!/^[a-z]([-a-z0-9]{0,56}[a-z0-9])?$/.test(base)) {
        throw invalid(
            "resource.baseInstanceName",
            `'${base}'. Must be a match of regex '[a-z](([-a-z0-9]{0,56}[a-z0-9])?)'`,
        );
    }
    if (place.kind === "zones" && group.distributionPolicy) {
        throw invalid("resource.distributionPolicy", "a group of one zone has none.");
    }
    const zones = zonesOf(group, place);
    checkSettings(group);
    checkUpdatePolicy(group, place, zones.length);
    oneOf("distributionPolicy.targetShape", group.distributionPolicy?.targetShape, SHAPES);
    versionOf(group);
}

/** What may change of a group that is there, too. */
export function checkSettings(group: Partial<GroupInsert>): void {
    const { targetSize = 0, instanceLifecyclePolicy: policy = {} } = group;
    if (!Number.isInteger(targetSize) || targetSize < 0 || targetSize > 2000) {
        throw invalid("resource.targetSize", `'${targetSize}'. Must be a whole number from 0 to 2000.`);
    }
    oneOf("listManagedInstancesResults", group.listManagedInstancesResults, ["PAGELESS", "PAGINATED"]);
    const field = "instanceLifecyclePolicy";
    oneOf(`${field}.defaultActionOnFailure`, policy.defaultActionOnFailure, ["REPAIR", "DO_NOTHING"]);
    oneOf(`${field}.forceUpdateOnRepair`, policy.forceUpdateOnRepair, ["YES", "NO"]);
    oneOf(`${field}.onRepair.allowChangingZone`, policy.onRepair?.allowChangingZone, ["YES", "NO"]);
}

export function checkUpdatePolicy(group: Partial<GroupInsert>, { kind }: GroupPlace, zones: number): void {
    const policy = group.updatePolicy ?? {};
    oneOf("updatePolicy.type", policy.type, ["OPPORTUNISTIC", "PROACTIVE"]);
    oneOf("updatePolicy.replacementMethod", policy.replacementMethod, ["SUBSTITUTE", "RECREATE"]);
    oneOf("updatePolicy.minimalAction", policy.minimalAction, ["NONE", "REFRESH", "RESTART", "REPLACE"]);
    oneOf("updatePolicy.instanceRedistributionType", policy.instanceRedistributionType, [
        "PROACTIVE",
        "NONE",
    ]);
    checkSurge(policy, kind === "regions" ? zones : 1);
    const shape = group.distributionPolicy?.targetShape ?? "EVEN";
    if (shape !== "EVEN" && policy.instanceRedistributionType !== "NONE") {
        throw invalid(
            "resource.updatePolicy.instanceRedistributionType",
            `'${policy.instanceRedistributionType ?? "PROACTIVE"}'. Proactive redistribution is not supported for the target distribution shape ${shape}.`,
        );
    }
}

/** The link of the one template that a group is made of. */
export function versionOf({ versions, instanceTemplate }: Partial<GroupInsert>): string {
    const link = versions?.[0]?.instanceTemplate ?? instanceTemplate;
    if (versions && versions.length > 1) {
        throw invalid("resource.versions", "the emulator knows groups of one version only.");
    }
    if (link === undefined || link === "") {
        throw invalid("resource.versions", "''. At least one version or an instance template is required.");
    }
    if (!/(^|\/)global\/instanceTemplates\/[^/]+$/.test(link)) {
        throw invalid("resource.versions[0].instanceTemplate", `'${link}'. The URL is malformed.`);
    }
    return link;
}

/** A group is not made of a template whose service account is not there. */
export function checkAccounts(template: InstanceTemplate, exists: (email: string) => boolean): void {
    const missing = template.properties.serviceAccounts?.find(({ email = "default" }) => !exists(email));
    if (missing) {
        throw new ApiError(
            404,
            "notFound",
            `The resource 'One of [${missing.email}]' of type 'serviceAccount' was not found.`,
        );
    }
}

/** Where a group may have instances: in its zone, in those that it names, or in three of its region. */
export function zonesOf({ distributionPolicy }: GroupInsert, { kind, name }: GroupPlace): readonly string[] {
    if (kind === "zones") {
        return [name];
    }
    const given = distributionPolicy?.zones?.map(({ zone }) => lastPart(zone));
    const stranger = given?.find((zone) => regionOf(zone) !== name);
    if (stranger !== undefined) {
        throw notFound(`projects/p/zones/${stranger} in region ${name}`);
    }
    return given?.length ? given : (ZONES[name] ?? []).slice(0, 3);
}

function checkSurge({ maxSurge, maxUnavailable, replacementMethod }: UpdatePolicy, zones: number): void {
    const surge = maxSurge?.fixed ?? zones;
    const unavailable = maxUnavailable?.fixed ?? zones;
    for (const [field, value] of [
        ["maxSurge", surge],
        ["maxUnavailable", unavailable],
    ] as const) {
        if (value < 0 || (zones > 1 && value > 0 && value < zones)) {
            throw invalid(
                `resource.updatePolicy.${field}.fixed`,
                `'${value}'. Fixed updatePolicy.${field} for regional managed instance group has to be either 0 or at least equal to the number of zones (${zones}).`,
            );
        }
    }
    if (surge === 0 && unavailable === 0) {
        throw invalid("resource.updatePolicy", "maxSurge and maxUnavailable can't both be 0.");
    }
    if (replacementMethod === "RECREATE" && (surge > 0 || unavailable === 0)) {
        throw invalid(
            "resource.updatePolicy.replacementMethod",
            "'RECREATE'. It needs a maxSurge of 0 and a maxUnavailable above 0.",
        );
    }
}

function oneOf(field: string, value: string | undefined, allowed: readonly string[]): void {
    if (value !== undefined && !allowed.includes(value)) {
        throw invalid(`resource.${field}`, `'${value}'. Must be one of ${allowed.join(", ")}.`);
    }
}
