import { definePipeline, paramEnv, resolveParams } from "../../../src/pipeline";
import { refusal } from "./support";

const pipeline = definePipeline({
    name: "x",
    params: {
        horizon: { default: 7, minimum: 1, maximum: 30 },
        rate: { type: "number", default: 0.5 },
        fast: false,
        region: { type: "string", enum: ["eu", "us"] },
        since: { default: "2020", pattern: "^\\d{4}$" },
    },
    steps: [{ name: "a", run: "x" }],
});

test("defaults, and what is set instead of them", () => {
    expect(resolveParams(pipeline, { region: "eu" })).toEqual({
        horizon: 7,
        rate: 0.5,
        fast: false,
        region: "eu",
        since: "2020",
    });
    expect(resolveParams(pipeline, { region: "us", horizon: 14, fast: true, rate: undefined })).toEqual({
        horizon: 14,
        rate: 0.5,
        fast: true,
        region: "us",
        since: "2020",
    });
});

test("texts become values of the declared type", () => {
    const texts = { region: "eu", horizon: " +14 ", rate: "1e-3", fast: "true", since: "2021" };
    expect(resolveParams(pipeline, texts)).toEqual({
        region: "eu",
        horizon: 14,
        rate: 0.001,
        fast: true,
        since: "2021",
    });
});

test("numbers become texts where a text is declared, as stack configuration stores them", () => {
    expect(resolveParams(pipeline, { region: "eu", since: 2021 }).since).toBe("2021");
});

test.each<[string, Record<string, unknown>, ...string[]]>([
    ["nothing", {}, 'params.region: is missing, and has no default; allowed: one of "eu", "us"'],
    [
        "an unknown name",
        { region: "eu", horizn: 1 },
        'params.horizn: the pipeline has no such parameter; allowed: "horizon", "rate", "fast", "region", "since"; ' +
            'did you mean "horizon"?',
    ],
    [
        "another case",
        { region: "eu", FAST: true },
        'params.FAST: the pipeline has no such parameter; allowed: "horizon", "rate", "fast", "region", "since"; ' +
            'did you mean "fast"?',
    ],
    [
        "no number",
        { region: "eu", horizon: "two" },
        'params.horizon: found "two"; allowed: a whole number from 1 to 30',
    ],
    [
        "a fraction",
        { region: "eu", horizon: "1.5" },
        'params.horizon: found "1.5"; allowed: a whole number from 1 to 30',
    ],
    [
        "an empty text",
        { region: "eu", horizon: "" },
        'params.horizon: found ""; allowed: a whole number from 1 to 30',
    ],
    [
        "too much",
        { region: "eu", horizon: "31" },
        "params.horizon: found 31; allowed: a whole number from 1 to 30",
    ],
    ["infinity", { region: "eu", rate: "1e999" }, 'params.rate: found "1e999"; allowed: a number'],
    [
        "yes",
        { region: "eu", fast: "yes" },
        'params.fast: found "yes"; allowed: true or false; did you mean true?',
    ],
    [
        "another choice",
        { region: "ue" },
        'params.region: found "ue"; allowed: one of "eu", "us"; did you mean "eu"?',
    ],
    [
        "no match",
        { region: "eu", since: "x" },
        'params.since: "x" does not match; allowed: a text that matches /^\\d{4}$/',
    ],
    ["null", { region: null }, 'params.region: found nothing; allowed: one of "eu", "us"'],
    ["a list", { region: ["eu"] }, 'params.region: found a list; allowed: one of "eu", "us"'],
    [
        "everything at once",
        { horizon: 0, rate: "x", constructor: 1 },
        'params.constructor: the pipeline has no such parameter; allowed: "horizon", "rate", "fast", "region", "since"',
        "params.horizon: found 0; allowed: a whole number from 1 to 30",
        'params.rate: found "x"; allowed: a number',
        'params.region: is missing, and has no default; allowed: one of "eu", "us"',
    ],
])("%s is refused", (_, overrides, ...expected) => {
    expect(refusal(() => resolveParams(pipeline, overrides))).toEqual(expected);
    expect(refusal(() => resolveParams(pipeline, overrides, "--param"))).toEqual(
        expected.map((mistake) => `--param: ${mistake}`),
    );
});

test("a pipeline without parameters", () => {
    const bare = definePipeline({ name: "x", params: {}, steps: [{ name: "a", run: "x" }] });
    expect(resolveParams(bare, {})).toEqual({});
    expect(refusal(() => resolveParams(bare, { a: 1 }))).toEqual([
        "params.a: the pipeline has no such parameter; allowed: none: it declares no parameters",
    ]);
});

test("NUL can't be in the environment", () => {
    const text = definePipeline({ name: "x", params: { t: "" }, steps: [{ name: "a", run: "x" }] });
    expect(refusal(() => resolveParams(text, { t: "a\0b" }))).toEqual(["params.t: contains a NUL character"]);
});

test("the environment of the parameters", () => {
    expect(paramEnv({ horizon: 7, rate: 0.5, fast: true, Region_1: "eu west" })).toEqual({
        STACKRUN_PARAM_HORIZON: "7",
        STACKRUN_PARAM_RATE: "0.5",
        STACKRUN_PARAM_FAST: "true",
        STACKRUN_PARAM_REGION_1: "eu west",
    });
});
