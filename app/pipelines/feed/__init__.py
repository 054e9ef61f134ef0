"""Feed: changes of pipelines for subscribers, each read once. May import what app.pipelines may."""
