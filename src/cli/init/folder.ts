import * as fs from "node:fs";
import * as path from "node:path";
import { CommandError, EXIT } from "../exit";

interface Manifest {
    readonly main?: unknown;
    readonly type?: unknown;
    readonly dependencies?: Readonly<Record<string, unknown>>;
    readonly devDependencies?: Readonly<Record<string, unknown>>;
}

/** The folder of a project: what is there, and what `init` makes in it. Nothing is overwritten. */
export class Folder {
    readonly made: string[] = [];
    readonly extended: string[] = [];
    readonly left: string[] = [];
    private readonly manifest: Manifest;

    constructor(readonly path: string) {
        const stat = fs.statSync(path, { throwIfNoEntry: false });
        if (stat && !stat.isDirectory()) {
            throw new CommandError(`${path} is not a folder`, EXIT.badInput);
        }
        this.manifest = this.readManifest();
    }

    has(name: string): boolean {
        // A link that leads nowhere is there, too.
        return fs.lstatSync(this.at(name), { throwIfNoEntry: false }) !== undefined;
    }

    isFile(name: string): boolean {
        return fs.statSync(this.at(name), { throwIfNoEntry: false })?.isFile() ?? false;
    }

    read(name: string): string {
        return fs.readFileSync(this.at(name), "utf8");
    }

    /** False if it was there already. */
    create(name: string, content: string): boolean {
        if (this.has(name)) {
            this.leave(name);
            return false;
        }
        fs.mkdirSync(path.dirname(this.at(name)), { recursive: true });
        fs.writeFileSync(this.at(name), content, { flag: "wx" });
        this.made.push(name);
        return true;
    }

    leave(name: string): void {
        this.left.push(name);
    }

    /** Replaces a file as a whole, or not at all; a link is followed. */
    rewrite(name: string, content: string, what: string): void {
        const file = fs.realpathSync(this.at(name));
        const temporary = `${file}.${process.pid}.tmp`;
        fs.writeFileSync(temporary, content, { mode: fs.statSync(file).mode, flag: "wx" });
        fs.renameSync(temporary, file);
        this.extended.push(`${name} (${what})`);
    }

    /** Names of the packages that package.json asks for. */
    dependencies(): string[] {
        return [this.manifest.dependencies, this.manifest.devDependencies].flatMap((one) =>
            Object.keys(one ?? {}),
        );
    }

    isEsModule(): boolean {
        return this.manifest.type === "module";
    }

    mainOfPackage(): string | undefined {
        return typeof this.manifest.main === "string" ? this.manifest.main : undefined;
    }

    private readManifest(): Manifest {
        if (!this.has("package.json")) {
            return {};
        }
        try {
            const manifest = JSON.parse(this.read("package.json")) as Manifest | null;
            return manifest ?? {};
        } catch (error) {
            throw new CommandError(`package.json can't be read: ${(error as Error).message}`, EXIT.badInput);
        }
    }

    private at(name: string): string {
        return path.join(this.path, name);
    }
}
