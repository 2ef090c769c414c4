import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { ensurePackages } from "../aptPackages";

/** A CA of the test's own, made by openssl. */
export class Authority {
    constructor(private readonly dir: string) {
        ensurePackages({ openssl: "openssl" });
        fs.mkdirSync(dir, { recursive: true });
        const args = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority"];
        openssl(dir, "req", ...args, "-keyout", "ca-key.pem", "-out", "ca.pem");
    }

    get file(): string {
        return path.join(this.dir, "ca.pem");
    }

    /** A folder with ca.pem, cert.pem and key.pem; of a server if it says for which name (`IP:127.0.0.1`). */
    issue(name: string, subjectAltName?: string): string {
        const folder = path.join(this.dir, name);
        fs.mkdirSync(folder);
        fs.copyFileSync(this.file, path.join(folder, "ca.pem"));
        const use = subjectAltName
            ? `subjectAltName=${subjectAltName}\nextendedKeyUsage=serverAuth\n`
            : "extendedKeyUsage=clientAuth\n";
        fs.writeFileSync(path.join(folder, "use"), use);
        const request = ["-newkey", "rsa:2048", "-nodes", "-subj", `/CN=${name}`, "-keyout", "key.pem"];
        openssl(folder, "req", ...request, "-out", "request");
        const by = ["-CA", this.file, "-CAkey", path.join(this.dir, "ca-key.pem"), "-CAcreateserial"];
        openssl(
            folder,
            "x509",
            "-req",
            "-days",
            "2",
            "-in",
            "request",
            ...by,
            "-extfile",
            "use",
            "-out",
            "cert.pem",
        );
        return folder;
    }
}

function openssl(cwd: string, ...args: string[]): void {
    execFileSync("openssl", args, { cwd, stdio: ["ignore", "ignore", "pipe"] });
}
