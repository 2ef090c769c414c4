/** Why stackrun can't run on this system; `undefined` if it can. */
export function unsupportedPlatform(platform: NodeJS.Platform = process.platform): string | undefined {
    return platform === "win32"
        ? "stackrun needs Linux or macOS: on Windows, use it inside WSL (`wsl --install`), with Node.js, Pulumi and " +
              "the project's folder inside it too"
        : undefined;
}
