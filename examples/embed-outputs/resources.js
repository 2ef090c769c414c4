"use strict";
// Stand-ins for a cloud's resources, so that this runs without an account: a bucket is a folder, a database its address.
// In a program of your own these are `gcp.storage.Bucket`, `aws.rds.Instance` and the like.

const pulumi = require("@pulumi/pulumi");

const bucketProvider = {
    async create({ parent, name }) {
        const path = require("path").join(parent, name);
        require("fs").mkdirSync(path, { recursive: true });
        return { id: name, outs: { parent, name, path } };
    },
    async delete(id, { path }) {
        require("fs").rmSync(path, { recursive: true, force: true });
    },
};

class Bucket extends pulumi.dynamic.Resource {
    constructor(name, opts) {
        super(bucketProvider, name, { parent: `${process.cwd()}/.buckets`, name, path: undefined }, opts);
    }
}

const databaseProvider = {
    async create({ name }) {
        const password = require("crypto").randomBytes(8).toString("hex");
        return { id: name, outs: { name, url: `postgres://loader:${password}@db.example/${name}` } };
    },
};

class Database extends pulumi.dynamic.Resource {
    constructor(name, opts) {
        const secret = { additionalSecretOutputs: ["url"] };
        super(databaseProvider, name, { name, url: undefined }, pulumi.mergeOptions(secret, opts));
    }
}

const noticeProvider = {
    async create({ bucket, text }) {
        const file = require("path").join(bucket, "notice.txt");
        require("fs").writeFileSync(file, text);
        return { id: file, outs: { bucket, text, file } };
    },
    async update(file, olds, { bucket, text }) {
        require("fs").writeFileSync(file, text);
        return { outs: { bucket, text, file } };
    },
};

class Notice extends pulumi.dynamic.Resource {
    constructor(name, args, opts) {
        super(noticeProvider, name, { ...args, file: undefined }, opts);
    }
}

module.exports = { Bucket, Database, Notice };
