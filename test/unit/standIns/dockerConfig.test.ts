import { configFailures } from "../../support/standIns/docker/config";

/** The properties that are refused. */
const refused = (config: Record<string, string>, env: NodeJS.ProcessEnv = {}) =>
    configFailures(config, env).map(({ property }) => property);

const PAIR = { certMaterial: "c", keyMaterial: "k" };
const PAIR_IN_ENV = { DOCKER_CERT_MATERIAL: "c", DOCKER_KEY_MATERIAL: "k" };
const FOLDER = { DOCKER_CERT_PATH: "/certificates" };
const SSH = "ssh://d.example";

test.each([
    ["a certificate without its key", { certMaterial: "c" }, {}, ["keyMaterial"]],
    ["a key without its certificate", { keyMaterial: "k" }, {}, ["certMaterial"]],
    ["the pair beside a folder", { ...PAIR, certPath: "/f" }, {}, ["certPath"]],
    ["the pair beside a folder in the environment", PAIR, FOLDER, ["certPath"]],
    ["the environment's pair beside its folder", {}, { ...PAIR_IN_ENV, ...FOLDER }, ["certPath"]],
    ["ssh with a folder in the environment", { host: SSH }, FOLDER, ["host"]],
    ["the environment's ssh with certificates", PAIR, { DOCKER_HOST: SSH }, ["host"]],
    [
        "all of it",
        { certMaterial: "c" },
        { ...FOLDER, DOCKER_HOST: SSH },
        ["keyMaterial", "certPath", "host"],
    ],
])("the stand-in refuses %s, as the real provider does", (_what, config, env, properties) => {
    expect(refused(config as Record<string, string>, env as NodeJS.ProcessEnv)).toEqual(properties);
});

test.each([
    ["nothing", {}, {}],
    ["a pair of which the environment has one", { certMaterial: "c" }, { DOCKER_KEY_MATERIAL: "k" }],
    ["a CA alone, which counts for nothing", { host: SSH, caMaterial: "a" }, {}],
    ["a CA beside a folder", { caMaterial: "a", certPath: "/f" }, {}],
    ["ssh without certificates", { host: SSH }, {}],
    ["a host that stands above the environment's", { host: "tcp://d", ...PAIR }, { DOCKER_HOST: SSH }],
])("the stand-in takes %s", (_what, config, env) => {
    expect(refused(config as Record<string, string>, env as NodeJS.ProcessEnv)).toEqual([]);
});
