import type { Value } from "../../src/provider/values";

/** How the SDK marks a secret on its way to the engine. */
export function secretOf(value: Value): Value {
    return { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value };
}
