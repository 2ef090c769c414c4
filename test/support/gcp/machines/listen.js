// Listens on an address, hands the socket to the parent, and ends: for addresses that only a namespace has.
"use strict";
const net = require("node:net");

const [host, port] = process.argv.slice(2);
const server = net.createServer({ allowHalfOpen: true });
server.once("error", (error) => {
    console.error(error.message);
    process.exit(1);
});
server.listen(Number(port), host, () => process.send("listening", server));
process.once("disconnect", () => process.exit(0));
