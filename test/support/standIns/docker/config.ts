import type { CheckFailure } from "../../../../src/provider/handler";
import type { Properties } from "../../../../src/provider/values";

interface RegistryAuth {
    readonly username?: string;
    readonly configFile?: string;
    readonly configFileContent?: string;
    readonly authDisabled?: boolean;
}

/** Of the provider's own properties those that the stand-in does not follow: it refuses them. */
export function configFailures(config: Properties): CheckFailure[] {
    const failures: CheckFailure[] = [];
    const unknown = (property: string) => failures.push({ property, reason: "is not known to the stand-in" });
    if (config.context) {
        unknown("context");
    }
    const registries = Array.isArray(config.registryAuth) ? (config.registryAuth as RegistryAuth[]) : [];
    registries.forEach(({ username, configFile, configFileContent, authDisabled }, index) => {
        const at = `registryAuth[${index}]`;
        if (authDisabled) {
            unknown(`${at}.authDisabled`);
        }
        // Which of them counts, differs between releases of the real one.
        if ([username, configFile, configFileContent].filter((given) => given).length > 1) {
            const reason = "one of username, configFile and configFileContent is all that the stand-in takes";
            failures.push({ property: at, reason });
        }
    });
    return failures;
}
