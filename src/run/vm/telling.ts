import type { FollowItem } from "../follower";
import type { Fields } from "./objects";

/** What is told beside the stream: what is waited for, and the image. */
export class Telling {
    private shown = "";

    constructor(private imageTold: boolean) {}

    /** What is waited for, once. */
    *status(text: string): Generator<FollowItem> {
        if (text !== "" && text !== this.shown) {
            yield { type: "status", text };
        }
        this.shown = text;
    }

    /** What is to be shown is shown again. */
    forget(): void {
        this.shown = "";
    }

    *image(beat: Fields | undefined): Generator<FollowItem> {
        const { image } = beat ?? {};
        // Read while it was written anew, it may be cut.
        const [digest] = /sha256:[0-9a-f]{64}/.exec(image ?? "") ?? [];
        if (image && digest && !this.imageTold) {
            this.imageTold = true;
            yield { type: "image", ref: image.split("@")[0] as string, digest };
        }
    }
}

/** What the machine says it does, while that is not the run itself. */
export function statusOf(beat: Fields | undefined): string {
    const { phase, text } = beat ?? {};
    return phase === undefined || phase === "running" ? "" : text || phase;
}
