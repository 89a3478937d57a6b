//! A page as a browser's parser sees it.

use html5ever::tendril::TendrilSink as _;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// A parsed page.
pub struct Page {
    dom: RcDom,
}

/// An element with its attributes.
#[derive(Clone)]
pub struct Element {
    node: Handle,
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

impl Page {
    /// Parses a page; what the parser had to guess is an error.
    pub fn parse(text: &str) -> Self {
        let dom = parse_document(RcDom::default(), ParseOpts::default()).one(text);
        assert!(dom.errors.borrow().is_empty(), "{:?}", dom.errors.borrow());
        Self { dom }
    }

    /// Every element in document order.
    pub fn elements(&self) -> Vec<Element> {
        let mut found = Vec::new();
        walk(&self.dom.document, &mut found);
        found
    }

    /// Those with this name.
    pub fn all(&self, name: &str) -> Vec<Element> {
        self.elements().into_iter().filter(|element| element.name == name).collect()
    }

    /// The one with this id.
    pub fn id(&self, id: &str) -> Element {
        let found = self.elements().into_iter().find(|element| element.attribute("id") == Some(id));
        found.unwrap_or_else(|| panic!("no element {id}"))
    }

    /// The rows of the table in the box with this id, the headings first.
    pub fn table(&self, id: &str) -> Vec<Vec<String>> {
        let rows = self.id(id).within("tr");
        let cells = |row: &Element| row.children().iter().map(Element::text).collect();
        rows.iter().map(cells).collect()
    }

    /// All text.
    pub fn text(&self) -> String {
        self.all("body").first().map(Element::text).unwrap_or_default()
    }
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Its text, with single spaces.
    pub fn text(&self) -> String {
        let mut text = String::new();
        collect(&self.node, &mut text);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Elements with this name in it, at any depth.
    pub fn within(&self, name: &str) -> Vec<Self> {
        let mut found = Vec::new();
        self.node.children.borrow().iter().for_each(|child| walk(child, &mut found));
        found.retain(|element| element.name == name);
        found
    }

    pub fn children(&self) -> Vec<Self> {
        self.node.children.borrow().iter().filter_map(element).collect()
    }
}

fn element(node: &Handle) -> Option<Element> {
    let NodeData::Element { name, attrs, .. } = &node.data else { return None };
    let attribute =
        |attribute: &html5ever::Attribute| (attribute.name.local.to_string(), attribute.value.to_string());
    Some(Element {
        node: node.clone(),
        name: name.local.to_string(),
        attributes: attrs.borrow().iter().map(attribute).collect(),
    })
}

fn walk(node: &Handle, found: &mut Vec<Element>) {
    found.extend(element(node));
    node.children.borrow().iter().for_each(|child| walk(child, found));
}

fn collect(node: &Handle, text: &mut String) {
    match &node.data {
        NodeData::Text { contents } => text.push_str(&contents.borrow()),
        NodeData::Element { name, .. } if matches!(&*name.local, "script" | "style") => {}
        _ => node.children.borrow().iter().for_each(|child| collect(child, text)),
    }
}
