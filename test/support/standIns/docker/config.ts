import type { CheckFailure } from "../../../../src/provider/handler";
import { isUnknown, type Properties, type Value } from "../../../../src/provider/values";

interface RegistryAuth {
    readonly username?: string;
    readonly configFile?: string;
    readonly configFileContent?: string;
    readonly authDisabled?: boolean;
}

/** Of the provider's own properties those that the stand-in does not follow, and what the real one refuses. */
export function configFailures(config: Properties, env: NodeJS.ProcessEnv = process.env): CheckFailure[] {
    const failures = certificateFailures(config, env);
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

/** As the real one has it, which looks at certificates before it looks whether the host is one of ssh. */
function certificateFailures(config: Properties, env: NodeJS.ProcessEnv): CheckFailure[] {
    const isGiven = (value: Value | undefined, variable: string) =>
        isUnknown(value) || Boolean(value || env[variable]);
    const cert = isGiven(config.certMaterial, "DOCKER_CERT_MATERIAL");
    const key = isGiven(config.keyMaterial, "DOCKER_KEY_MATERIAL");
    const folder = isGiven(config.certPath, "DOCKER_CERT_PATH");
    const failures: CheckFailure[] = [];
    if (cert !== key) {
        const property = cert ? "keyMaterial" : "certMaterial";
        failures.push({ property, reason: "certMaterial and keyMaterial have to be given together" });
    }
    if ((cert || key) && folder) {
        const reason =
            "certPath must not be given, here or by DOCKER_CERT_PATH, beside certMaterial and keyMaterial";
        failures.push({ property: "certPath", reason });
    }
    const host = config.host || env.DOCKER_HOST;
    if ((cert || key || folder) && typeof host === "string" && host.startsWith("ssh:")) {
        const reason = "with certificates, here or in the environment, TLS is spoken to it and not ssh";
        failures.push({ property: "host", reason });
    }
    return failures;
}
