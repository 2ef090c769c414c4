import type { Found } from "./container";
import { ownerOf, type Owner } from "./user";

/** Who the container's processes are, also where its user is a name that only the image knows. */
export async function ownerIn({ handle, info }: Found): Promise<Owner> {
    const { User } = info.Config;
    const numbers = /^\d+:\d+$/.test(User);
    const [passwd, group] = numbers
        ? ["", ""]
        : await Promise.all([readText(handle, "/etc/passwd"), readText(handle, "/etc/group")]);
    return ownerOf(User, { passwd, group });
}

async function readText(container: Found["handle"], path: string): Promise<string> {
    const archive = await container.getArchive({ path }).catch(() => undefined);
    if (!archive) {
        return "";
    }
    const { extract } = await import("tar-stream");
    const entries = extract();
    archive.pipe(entries as unknown as NodeJS.WritableStream);
    const chunks: Buffer[] = [];
    for await (const entry of entries) {
        for await (const chunk of entry) {
            chunks.push(chunk as Buffer);
        }
    }
    return Buffer.concat(chunks).toString("utf8");
}
