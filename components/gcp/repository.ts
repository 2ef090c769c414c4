/** A repository of Artifact Registry. */
export interface Repository {
    readonly project: string;
    readonly location: string;
    readonly repository: string;
}

/** Where Container Registry's names lead since Artifact Registry has taken its place. */
const LOCATION_OF_HOST: Readonly<Record<string, string>> = {
    "gcr.io": "us",
    "us.gcr.io": "us",
    "eu.gcr.io": "europe",
    "asia.gcr.io": "asia",
};

/** The repository that an image's name says it is in; none for what is not known yet, and for other registries. */
export function repositoryOf(image: unknown): Repository | undefined {
    if (typeof image !== "string") {
        return undefined;
    }
    const [host, ...parts] = image.split("/");
    // A project of an organization's own domain: `example.com:name`, and in images `example.com/name`.
    const scoped = parts[0]?.includes(".") && parts.length > 2;
    const [project, repository] = scoped
        ? [`${parts[0]}:${parts[1]}`, parts[2]]
        : ([parts[0], parts[1]] as const);
    if (project === undefined || repository === undefined) {
        return undefined;
    }
    const location = /^([a-z0-9-]+)-docker\.pkg\.dev$/.exec(host)?.[1];
    if (location !== undefined) {
        // After the repository comes the image.
        return parts.length > (scoped ? 3 : 2) ? { project, location, repository } : undefined;
    }
    return host in LOCATION_OF_HOST
        ? { project, location: LOCATION_OF_HOST[host], repository: host }
        : undefined;
}
