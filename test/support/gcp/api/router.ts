/** A request as a method of the API sees it. */
export interface Call {
    /** What stands in the path for `{name}`. */
    readonly params: Readonly<Record<string, string>>;
    readonly query: URLSearchParams;
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    readonly body: any;
    readonly principal: Principal;
}

/** Who asks. */
export type Principal =
    { readonly kind: "user" } | { readonly kind: "serviceAccount"; readonly email: string };

export interface Route {
    /** The method's name in Google's reference: `instances.insert`. */
    readonly kind: string;
    readonly method: string;
    /** `/compute/v1/projects/{project}/zones/{zone}`; `{name+}` takes slashes, too. */
    readonly path: string;
    /** What the principal needs: permissions on what the path names. */
    readonly permission?: string | readonly string[];
    /** Names of the query that it knows, beside those that each method does. */
    readonly query?: readonly string[];
    run(call: Call): unknown;
}

export interface Matched {
    readonly route: Route;
    readonly params: Readonly<Record<string, string>>;
}

/** Finds the method that a path names. */
export class Router {
    private readonly routes: { route: Route; pattern: RegExp }[] = [];

    add(routes: readonly Route[]): void {
        for (const route of routes) {
            this.routes.push({ route, pattern: patternOf(route.path) });
        }
    }

    /** All permissions that a method asks for. */
    get permissions(): ReadonlySet<string> {
        return new Set(this.routes.flatMap(({ route }) => route.permission ?? []));
    }

    match(method: string, path: string): Matched | undefined {
        for (const { route, pattern } of this.routes) {
            const found = route.method === method ? pattern.exec(path) : null;
            if (found) {
                const params = Object.entries(found.groups ?? {}).map(([name, value]) => [
                    name,
                    decodeURIComponent(value),
                ]);
                return { route, params: Object.fromEntries(params) as Record<string, string> };
            }
        }
        return undefined;
    }
}

// A verb stands behind a colon: `projects/{project}:getIamPolicy`.
function patternOf(path: string): RegExp {
    const source = path
        .replace(/[.*?^$()|[\]\\]/g, "\\$&")
        .replace(/\{(\w+)\+\}/g, "(?<$1>[^:]+)")
        .replace(/\{(\w+)\}/g, "(?<$1>[^/:]+)");
    return new RegExp(`^${source}$`);
}
