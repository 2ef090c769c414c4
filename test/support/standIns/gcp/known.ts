import type { CheckFailure } from "../../../../src/provider/handler";
import type { Properties, Value } from "../../../../src/provider/values";

/**
 * The inputs that a stand-in passes on, by their paths: `true`, or the names of what is in them. All others it refuses,
 * although the real plugin knows them.
 */
export type Known = Readonly<Record<string, readonly string[] | true>>;

/** Inputs that a stand-in would have to ignore. */
export function unknownTo(all: Known, inputs: Properties): CheckFailure[] {
    const walk = (value: Value, place: string, path: string): CheckFailure[] => {
        if (Array.isArray(value)) {
            return value.flatMap((item, index) => walk(item, place, `${path}[${index}]`));
        }
        const known = place === "" ? Object.keys(all).filter((name) => !name.includes(".")) : all[place];
        if (typeof value !== "object" || value === null || known === undefined || known === true) {
            return [];
        }
        return Object.entries(value)
            .filter(([, item]) => item !== null)
            .flatMap(([name, item]) => {
                const at = path ? `${path}.${name}` : name;
                return known.includes(name)
                    ? walk(item, place ? `${place}.${name}` : name, at)
                    : [{ property: at, reason: "is not known to the stand-in" }];
            });
    };
    return walk(inputs, "", "");
}
