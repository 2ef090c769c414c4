import type { input as k8s } from "@pulumi/kubernetes/types";
import { CHECK_CONTAINER } from "../../src/run/kubernetes/objects";
import { BadInputError } from "../errors";

const TIMEOUT_SECONDS = 10;
/** What holds the store's URL for the steps. */
export const STORE_VARIABLE = "STACKRUN_METADATA_URL";

/** What a URL of a metadata store says, as its client's environment wants it: all of it belongs into a Secret. */
export interface StoreAccess {
    readonly kind: "postgres" | "mysql";
    /** Environment variable -> value. */
    readonly env: Readonly<Record<string, string>>;
}

/** @throws BadInputError that does not show the URL: it holds a password. */
export function readStoreUrl(url: string, where: string): StoreAccess {
    const kind = /^postgres(ql)?:/.test(url) ? "postgres" : /^mysql:/.test(url) ? "mysql" : undefined;
    const parsed = kind && URL.canParse(url) ? new URL(url) : undefined;
    if (!kind || !parsed?.hostname) {
        throw new BadInputError([
            `${where}: metadataStore.url can't be read; allowed: postgres://user:password@host:port/database, mysql://…`,
        ]);
    }
    const host = parsed.hostname.replace(/^\[|\]$/g, "");
    const port = parsed.port || (kind === "postgres" ? "5432" : "3306");
    const user = decodeURIComponent(parsed.username);
    const password = decodeURIComponent(parsed.password);
    const database = decodeURIComponent(parsed.pathname.slice(1));
    const common = { STORE_HOST: host, STORE_PORT: port, [STORE_VARIABLE]: url };
    if (kind === "mysql") {
        return { kind, env: { ...common, STORE_USER: user, MYSQL_PWD: password, STORE_DATABASE: database } };
    }
    const options = [...parsed.searchParams].filter(([name]) => name !== "password");
    const conninfo = [["host", host], ["port", port], ["user", user], ["dbname", database], ...options]
        .filter(([, value]) => value)
        .map(([name, value]) => `${name}='${value.replaceAll(/[\\']/g, "\\$&")}'`)
        .join(" ");
    return { kind, env: { ...common, STORE_CONNINFO: conninfo, PGPASSWORD: password } };
}

/** The image in which a store's client is, if nothing else is said. */
export const CHECK_IMAGE = { postgres: "postgres:17-alpine", mysql: "mysql:8.4" } as const;

/** Runs before the steps, in the pod that they run in: what it can't reach, they can't either. */
export function checkContainer(
    access: StoreAccess["kind"],
    names: readonly string[],
    secretName: string,
    image: string,
): k8s.core.v1.Container {
    return {
        name: CHECK_CONTAINER,
        image,
        command: ["/bin/sh", "-c", checkScript(access)],
        env: names.map((name) => ({
            name,
            valueFrom: { secretKeyRef: { name: secretName, key: secretKey(name) } },
        })),
        terminationMessagePolicy: "FallbackToLogsOnError",
    };
}

/** Where a value of the store's URL stands in the attempt's Secret. */
export function secretKey(name: string): string {
    return `metadata.${name}`;
}

function checkScript(kind: StoreAccess["kind"]): string {
    const ask =
        kind === "postgres"
            ? `PGCONNECT_TIMEOUT=${TIMEOUT_SECONDS} psql -w -X -A -t -c 'select 1' "$STORE_CONNINFO"`
            : `mysql --connect-timeout=${TIMEOUT_SECONDS} -h "$STORE_HOST" -P "$STORE_PORT" -u "$STORE_USER" -e 'select 1' "$STORE_DATABASE"`;
    // MariaDB's client says 115 (in progress) of a connection that is refused.
    return `
unset ${STORE_VARIABLE}
out=$(${ask} 2>&1) && exit 0
case $out in
*'not found'*) why="the image of the check has no client: $out" ;;
*efused* | *'(111)'* | *'(115)'*) why='the connection was refused' ;;
*'imeout expired'* | *'imed out'* | *'(110)'*) why='the connection timed out (no answer within ${TIMEOUT_SECONDS} s)' ;;
*'password authentication failed'* | *'Access denied'*) why="the user or the password is wrong: $(printf '%s\\n' "$out" | tail -n 1)" ;;
*'translate host name'* | *'Unknown MySQL server host'* | *'Unknown server host'*) why="the host's name can't be resolved" ;;
*) why=$(printf '%s\\n' "$out" | tail -n 3) ;;
esac
text="the metadata store at $STORE_HOST:$STORE_PORT can't be used from inside the cluster: $why. No step has run."
printf 'stackrun: %s\\n' "$text" >&2
printf '%s\\n' "$text" > /dev/termination-log
exit 64
`.trim();
}
