// Every word typed must occur; tables that fit stay in the list, columns that fit are named.
const box = document.getElementById("search");
const hits = document.getElementById("hits");
const listed = document.getElementById("columns");
box.addEventListener("input", () => {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = INDEX.filter((one) => words.every((word) => one.text.includes(word)));
  const tables = new Set(found.map((one) => one.table));
  for (const row of document.querySelectorAll("#tables tr")) {
    row.hidden = words.length > 0 && !tables.has(row.dataset.table);
  }
  const columns = words.length ? found.filter((one) => one.column) : [];
  listed.replaceChildren(...columns.slice(0, 40).map((one) => {
    const link = document.createElement("a");
    link.href = `table/${encodeURIComponent(one.table)}.html#c-${encodeURIComponent(one.column)}`;
    link.textContent = `${one.table}.${one.column}`;
    const item = document.createElement("li");
    item.append(link);
    return item;
  }));
  hits.textContent = words.length ? `${tables.size} tables, ${columns.length} columns` : "";
});
