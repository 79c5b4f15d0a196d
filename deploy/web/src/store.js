// What the browser keeps for this page: samples of hands, and adapted models. IndexedDB, by promises.

const NAME = "edge-digits";
const VERSION = 1;

function open() {
  return new Promise((done, failed) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("samples", { keyPath: "id", autoIncrement: true });
      request.result.createObjectStore("hands", { keyPath: "name" });
    };
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(new Error(`The browser keeps no data for this page (${request.error.name}); leave private mode.`));
  });
}

async function use(table, mode, work) {
  const database = await open();
  try {
    return await new Promise((done, failed) => {
      const transaction = database.transaction(table, mode);
      const request = work(transaction.objectStore(table));
      transaction.oncomplete = () => done(request.result);
      transaction.onerror = transaction.onabort = () => failed(new Error(`The browser could not keep it (${transaction.error?.name}).`));
    });
  } finally {
    database.close();
  }
}

export const all = (table) => use(table, "readonly", (rows) => rows.getAll());
export const put = (table, row) => use(table, "readwrite", (rows) => rows.put(row));
export const remove = (table, key) => use(table, "readwrite", (rows) => rows.delete(key));
