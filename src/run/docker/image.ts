import type { FollowItem } from "../follower";
import type { Daemon } from "./client";
import type { Found } from "./container";
import { LABEL } from "./names";

/** What the image's name stands for: its digest in the registry that it came from, or else its id. */
export async function imageItem({ docker }: Daemon, { info }: Found): Promise<FollowItem> {
    const ref = info.Config.Labels[LABEL.image] ?? info.Config.Image;
    const image = await docker
        .getImage(info.Image)
        .inspect()
        .catch(() => undefined);
    return { type: "image", ref, digest: digestOf(ref, image?.RepoDigests ?? []) ?? info.Image };
}

/** That of the repository which `ref` names, or else any: they name the same content. */
export function digestOf(ref: string, repoDigests: readonly string[]): string | undefined {
    const repository = repositoryOf(ref);
    return repoDigests.find((digest) => repositoryOf(digest) === repository) ?? repoDigests[0];
}

function repositoryOf(ref: string): string {
    const name = ref.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
    return name.replace(/^(docker\.io|index\.docker\.io)\//, "").replace(/^library\//, "");
}
