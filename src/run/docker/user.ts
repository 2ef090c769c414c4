/** Who a container's processes are. */
export interface Owner {
    readonly uid: number;
    readonly gid: number;
}

/** Texts of files of the image; empty where it has none. */
export interface Accounts {
    readonly passwd: string;
    readonly group: string;
}

/**
 * What Docker makes of a container's user: `""`, `1000`, `1000:1000`, `node`, `node:staff`.
 * @throws Error if the image does not know the name; Docker would refuse to start the container.
 */
export function ownerOf(user: string, { passwd, group }: Accounts): Owner {
    const [name, groupName] = user.split(":");
    const known = table(passwd).find(([entry, , uid]) => entry === name || uid === name);
    const uid = /^\d+$/.test(name) ? Number(name) : name === "" ? 0 : Number(known?.[2] ?? NaN);
    const ofGroup = table(group).find(([entry]) => entry === groupName);
    const gid = !groupName
        ? Number(known?.[3] ?? 0)
        : /^\d+$/.test(groupName)
          ? Number(groupName)
          : Number(ofGroup?.[2] ?? NaN);
    if (Number.isNaN(uid) || Number.isNaN(gid)) {
        const what = Number.isNaN(uid) ? `user ${name}` : `group ${groupName}`;
        throw new Error(`the image knows no ${what}; give numbers as user, such as "1000:1000"`);
    }
    return { uid, gid };
}

function table(text: string): string[][] {
    return text.split("\n").map((line) => line.trim().split(":"));
}
