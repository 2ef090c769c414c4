import type { CheckFailure } from "../../../../src/provider/handler";
import { isUnknown, type Properties, type Value } from "../../../../src/provider/values";

/**
 * What of a container the stand-in does not apply, or what the daemon of the tests is too old for and would ignore: it
 * refuses all of that. `[]` stands for each item of a list.
 */
const REFUSED = [
    "cgroupParent",
    "cgroupnsMode",
    "deviceCgroupRules",
    "deviceReadBps",
    "deviceReadIops",
    "deviceWriteBps",
    "deviceWriteIops",
    "healthcheck.startInterval",
    "mounts[].volumeOptions.subpath",
    "networksAdvanced[].gwPriority",
    "networksAdvanced[].macAddress",
    "storageOpts",
];

/** What is wrong with a container beyond its types. */
export function containerFailures(inputs: Properties): CheckFailure[] {
    const failures = REFUSED.flatMap((path) => placesOf(inputs, path)).map(([property]) => ({
        property,
        reason: "is not known to the stand-in",
    }));
    const allow = (path: string, pattern: RegExp, reason: string) =>
        placesOf(inputs, path).forEach(([property, value]) => {
            if (!isUnknown(value) && !pattern.test(String(value))) {
                failures.push({ property, reason });
            }
        });
    allow("command[]", /./s, "values for command may not be empty");
    allow(
        "restart",
        /^(no|on-failure|always|unless-stopped)$/,
        "has to be no, on-failure, always or unless-stopped",
    );
    allow("volumes[].selinuxRelabel", /^[zZ]$/, "has to be z or Z");
    // The real one looks names up on its own machine.
    allow("uploads[].owner", /^\d+$/, "has to be a number for the stand-in");
    allow("uploads[].group", /^\d+$/, "has to be a number for the stand-in");
    return failures;
}

// Where there is something at a path, and what.
function placesOf(inputs: Properties, path: string): [string, Value][] {
    let places: [string, Value][] = [["", inputs]];
    for (const part of path.split(".")) {
        const name = part.replace("[]", "");
        places = places
            .map(([at, value]): [string, Value | undefined] => [
                at ? `${at}.${name}` : name,
                (value as Properties | undefined)?.[name],
            ])
            .filter((place): place is [string, Value] => place[1] !== undefined && place[1] !== null)
            .flatMap(([at, value]): [string, Value][] =>
                part.endsWith("[]") && Array.isArray(value)
                    ? value.map((item, index) => [`${at}[${index}]`, item])
                    : [[at, value]],
            );
    }
    return places;
}
