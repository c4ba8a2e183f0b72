// Copy text; where the browser forbids that (no HTTPS), show it in `field`, marked, to copy by hand.
export async function copyText(text, field, button) {
  const label = (button.dataset.label ??= button.textContent);
  const row = field.closest("label");
  let words = "Copied";
  try {
    await navigator.clipboard.writeText(text);
    row.hidden = true;
  } catch {
    words = "Copy it below";
    field.value = text;
    row.hidden = false;
    field.focus();
    field.select();
  }
  button.textContent = words;
  clearTimeout(button.saying);
  button.saying = setTimeout(() => (button.textContent = label), 2500);
  return words;
}
